// user.hpp - blocks of your own.
//
// A class with the slots that it has as members: void settle(ffebm_energy_call &), or int32_t where it may answer
// FFEBM_RETRY. What they throw is carried out of the call. The class's objects go with the block.
#ifndef FFEBM_USER_HPP
#define FFEBM_USER_HPP

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>

#include "blocks.hpp"
#include "tensor.hpp"

namespace ffebm {

// Borrows dims until the block is made.
ffebm_user_parameter parameter(const char *name, shape &&dims) = delete;
inline ffebm_user_parameter parameter(const char *name, const shape &dims)
{
    ffebm_user_parameter made = defaults(ffebm_user_parameter_init);

    made.name = name;
    made.shape = dims.data();
    made.rank = dims.size();
    return made;
}

namespace detail {

template <class Block> struct bound {
    std::unique_ptr<Block> block;
    std::shared_ptr<detail::carrier> carrier;

    static void destroy(void *self) noexcept { delete static_cast<bound *>(self); }

    template <auto Slot, class Call> static std::int32_t slot(void *self, Call *call) noexcept
    {
        bound &b = *static_cast<bound *>(self);

        try {
            if constexpr (std::is_void_v<decltype(((*b.block).*Slot)(*call))>) {
                ((*b.block).*Slot)(*call);
                return 0;
            } else {
                return ((*b.block).*Slot)(*call);
            }
        } catch (...) {
            b.carrier->carry(std::current_exception());
            return -1;
        }
    }
};

// Does Block have a member of this name?
#define FFEBM_DETECT(name)                                                                                             \
    template <class Block, class = void> struct has_##name : std::false_type {                                         \
    };                                                                                                                 \
    template <class Block> struct has_##name<Block, std::void_t<decltype(&Block::name)>> : std::true_type {            \
    };
FFEBM_DETECT(settle)
FFEBM_DETECT(output)
FFEBM_DETECT(parameter_gradient)
FFEBM_DETECT(input_gradient)
FFEBM_DETECT(energy)
FFEBM_DETECT(adjoint)
FFEBM_DETECT(initialize)
FFEBM_DETECT(forward)
FFEBM_DETECT(vjp)
#undef FFEBM_DETECT

// Make the block, which takes `self` on success.
template <class Made, class Block, class Table>
Made make_user(const context &context, Table &table, std::unique_ptr<Block> block,
               std::initializer_list<ffebm_user_parameter> parameters)
{
    auto self = std::make_unique<bound<Block>>();

    self->block = std::move(block);
    self->carrier = context.carrier();
    table.self = self.get();
    table.destroy = bound<Block>::destroy;
    Made made(context, table);
    self.release();
    for (const ffebm_user_parameter &each : parameters)
        made.add(each);
    return made;
}

} // namespace detail

// Fill a slot of the table if the class has it.
#define FFEBM_SLOT(name, call)                                                                                         \
    if constexpr (detail::has_##name<Block>::value)                                                                    \
    table.name = &detail::bound<Block>::template slot<&Block::name, call>

// An energy block of your own. facts: ffebm::sized<ffebm_user_energy>() with name, shapes, state_count and what else is
// not a slot.
template <class Block>
energy user_energy(const context &context, std::unique_ptr<Block> block, const ffebm_user_energy &facts,
                   std::initializer_list<ffebm_user_parameter> parameters = {})
{
    ffebm_user_energy table = facts;

    FFEBM_SLOT(settle, ffebm_energy_call);
    FFEBM_SLOT(output, ffebm_energy_call);
    FFEBM_SLOT(parameter_gradient, ffebm_energy_call);
    FFEBM_SLOT(input_gradient, ffebm_energy_call);
    FFEBM_SLOT(energy, ffebm_energy_call);
    FFEBM_SLOT(adjoint, ffebm_energy_call);
    FFEBM_SLOT(initialize, ffebm_energy_call);
    return detail::make_user<energy>(context, table, std::move(block), parameters);
}

// A feedforward block of your own, likewise.
template <class Block>
feedforward user_feedforward(const context &context, std::unique_ptr<Block> block, const ffebm_user_feedforward &facts,
                             std::initializer_list<ffebm_user_parameter> parameters = {})
{
    ffebm_user_feedforward table = facts;

    FFEBM_SLOT(forward, ffebm_feedforward_call);
    FFEBM_SLOT(vjp, ffebm_feedforward_call);
    FFEBM_SLOT(initialize, ffebm_feedforward_call);
    return detail::make_user<feedforward>(context, table, std::move(block), parameters);
}
#undef FFEBM_SLOT

} // namespace ffebm

#endif
