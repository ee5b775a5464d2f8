/// Invariants that stay checked in release builds: a broken one is a bug, and a daemon that
/// restarts is safer than one that goes on. Never used on input.
#pragma once

#include <cstdio>
#include <cstdlib>

#define HA_CHECK(condition)                                                                  \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
