# scripts/abi on libraries of one function: the same, one more function, one less, another parameter.
#   cmake -DSCRIPT=scripts/abi -DCXX=... -DWORK=folder -P abi_test.cmake
cmake_minimum_required(VERSION 3.25)
file(MAKE_DIRECTORY "${WORK}")

function(compile name code)
  file(WRITE "${WORK}/${name}.cpp" "${code}\n")
  execute_process(COMMAND "${CXX}" -g -shared -fPIC "${WORK}/${name}.cpp" -o "${WORK}/${name}.so"
    COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(expect status new)
  execute_process(COMMAND "${SCRIPT}" --libraries "${WORK}/old.so" "${WORK}/${new}.so"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL status)
    message(FATAL_ERROR "${new}: ended with ${result}, not ${status}:\n${output}")
  endif()
endfunction()

set(select "extern \"C\" int adaptive_select(int key) { return key; }")
compile(old "${select}")
compile(same "${select}")
compile(more "${select}\nextern \"C\" int adaptive_pin(int key) { return key; }")
compile(less "extern \"C\" int adaptive_pin(int key) { return key; }")
compile(changed "extern \"C\" int adaptive_select(int* key) { return *key; }")
expect(0 same)
expect(0 more)
expect(1 less)
expect(1 changed)
