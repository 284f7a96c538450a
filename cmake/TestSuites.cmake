# Included by ctest when it starts. Adds one ctest test MODULE.Suite for each suite of the GoogleTest program PROGRAM. A
# process per suite instead of per test saves time, because loading LibTorch takes a second under the sanitizers.
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
