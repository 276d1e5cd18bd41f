# One flag a line; a warning that is switched off says why.
add_library(pare_warnings INTERFACE)
target_compile_options(pare_warnings INTERFACE
  -Wall
  -Wextra
  -Wpedantic
  -Wshadow
  -Wvla
  -Wwrite-strings
  -Wstrict-prototypes
  -Wmissing-prototypes
  -Wold-style-definition
  -Wpointer-arith
  -Wundef
  -Wformat=2
  # Off: at -O3 GCC takes every out-parameter of a function that may fail for uninitialised. ASan and valgrind see real ones.
  -Wno-maybe-uninitialized
)
if(PARE_WERROR)
  target_compile_options(pare_warnings INTERFACE -Werror)
endif()
