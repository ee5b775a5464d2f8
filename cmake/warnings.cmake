# One INTERFACE target carries every compiler setting that is ours: warnings, checked containers, sanitizers.
# Hardening flags come from dpkg-buildflags, -Werror from the presets, never from here.
add_library(ha_options INTERFACE)
target_compile_features(ha_options INTERFACE cxx_std_20)
target_include_directories(ha_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(ha_options INTERFACE
  _GLIBCXX_ASSERTIONS
  BOOST_ASIO_DISABLE_CO_AWAIT  # g++ 12 miscompiles temporaries in co_await expressions
  BOOST_ASIO_NO_DEPRECATED)
target_compile_options(ha_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-qual
  -Wformat=2 -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wdouble-promotion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(ha_options INTERFACE -Wduplicated-cond -Wlogical-op
    -Wno-null-dereference)  # g++ 12 reports it inside its own headers when optimising
endif()

set(HA_SANITIZE "" CACHE STRING "Sanitizers to build with, as for -fsanitize=")
if(HA_SANITIZE)
  target_compile_options(ha_options INTERFACE -fsanitize=${HA_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(ha_options INTERFACE -fsanitize=${HA_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With sanitizers g++ 12 takes the standard library's own <regex> for a reader of uninitialised memory.
    target_compile_options(ha_options INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
