// Says what is on a picture: classify CHECKPOINT PICTURE
#include <iostream>

#include <frgan/classifier/classifier.h>

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: classify CHECKPOINT PICTURE\n";
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
