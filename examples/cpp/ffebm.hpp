// ffebm.hpp - libffebm for C++17: handles that destroy themselves, failures that throw, blocks of your own as classes.
//
// The C headers are the manual: what a function takes, gives and refuses stands there, under the same name. Here
//   - classes own their handle, and are moved, not copied. Borrowed tensors are plain ffebm_tensor *, as in C.
//   - a status that is no FFEBM_OK is thrown as ffebm::error, with the library's text.
//   - an exception that a callback of yours throws comes out of the call that came to it.
//   - configurations are the structs of C: auto config = ffebm::defaults(ffebm_adam_config_init);
//   - what has no member here is called as in C, on get(), with context.check() around it.
#ifndef FFEBM_HPP
#define FFEBM_HPP

#include "ffebm/blocks.hpp"
#include "ffebm/core.hpp"
#include "ffebm/engine.hpp"
#include "ffebm/model.hpp"
#include "ffebm/optimizer.hpp"
#include "ffebm/tensor.hpp"
#include "ffebm/user.hpp"

#endif
