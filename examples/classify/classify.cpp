// Classifies an image file and prints the label and its probability: classify CHECKPOINT IMAGE
#include <iostream>

#include <frgan/classifier/classifier.h>

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: classify CHECKPOINT IMAGE\n";
    return 2;
  }
  try {
    const frgan::Classifier classifier = frgan::Classifier::load(arguments[1]);
    const frgan::FilePrediction result = classifier.classify_file(arguments[2]);
    std::cout << classifier.class_names()[result.label] << ' ' << result.probabilities[result.label] << '\n';
  } catch (const frgan::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
