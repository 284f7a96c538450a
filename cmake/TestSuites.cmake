# Read by ctest at its start: adds one test for each suite of the Google test program PROGRAM, named MODULE.Suite. One
# process for a suite, not for each test, because LibTorch takes a second to load under the sanitizers.
execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE listed RESULT_VARIABLE failed ERROR_QUIET)
if(failed)
  add_test(${MODULE}.cannot_be_listed ${PROGRAM} --gtest_list_tests)
endif()
string(REGEX MATCHALL "(^|\n)[A-Za-z_0-9/]+\\.[ \n]" suites "${listed}")
foreach(suite ${suites})
  string(REGEX MATCH "[A-Za-z_0-9/]+" suite ${suite})
  add_test(${MODULE}.${suite} ${PROGRAM} --gtest_filter=${suite}.* --gtest_brief=1)
  set_tests_properties(${MODULE}.${suite} PROPERTIES LABELS "${LABELS}" TIMEOUT 300 ENVIRONMENT OMP_NUM_THREADS=1)
endforeach()
