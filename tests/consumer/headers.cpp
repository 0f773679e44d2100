// A program in C++17 that knows ffebm.hpp by where it is installed: one gradient, and a failure that is thrown.
#include <cstdio>
#include <ffebm.hpp>

int main()
{
    ffebm::context context;
    ffebm::model model(context, {4}, FFEBM_LOSS_CROSS_ENTROPY);

    model.add(ffebm::feedforward(context, {ffebm::op(FFEBM_OP_LINEAR, 3)}));
    model.initialize(1);
    try {
        model.initialize(2);
        model.add(ffebm::feedforward(context, {ffebm::op(FFEBM_OP_LINEAR, 3)}));
    } catch (const ffebm::error &refused) {
        std::puts(refused.what());
        return 0;
    }
    return 1;
}
