// Runs kernels on the processor: what stands before their text when it is compiled as C++.
//
// Blocks run one after the other, and the threads of a block take turns at each stretch of work, in one order or the
// other: a kernel whose threads got in each other's way would give other bits in another order.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#define EMULATED
#define __global__
#define __device__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(threads)
#define __align__(bytes) __attribute__((aligned(bytes)))

struct Index {
    unsigned x;
};
static Index blockIdx, blockDim;

#ifdef BACKWARDS
#define EACH(t) for (int t = (int)blockDim.x - 1; t >= 0; --t)
#else
#define EACH(t) for (int t = 0; t < (int)blockDim.x; ++t)
#endif
#define ALL(t) EACH(t)
#define FMA __builtin_fmaf

static inline float __uint_as_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static inline uint32_t __float_as_uint(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

static inline int __dp4a(int a, int b, int sum) {
    for (int i = 0; i < 32; i += 8) sum += (int)(int8_t)(a >> i) * (int)(int8_t)(b >> i);
    return sum;
}

// Calls a kernel with the arguments that the pointers lead to.
template <class... A, size_t... I>
static void call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*(A *)arguments[I]...);
}

template <class... A> static void launch(void (*kernel)(A...), unsigned blocks, unsigned threads, void **arguments) {
    blockDim.x = threads;
    for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x) {
        call(kernel, arguments, std::index_sequence_for<A...>());
    }
}
