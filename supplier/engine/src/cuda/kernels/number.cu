// What all kernels share: how the threads of a block take turns, and numbers that are written short.
//
// COLUMNS, GROUP, GROUPS, BLOCK and PAGE are those of the host. There is no fused multiply-add but where it is
// written, and no approximation: the program is compiled without both.

#ifndef EMULATED
// A stretch of work for all threads of a block, each by itself.
#define EACH(t) for (int t = threadIdx.x, open = 1; open; open = 0)
// The same, and nobody goes on before all are done.
#define ALL(t) for (int t = threadIdx.x, open = 1; open; open = 0, __syncthreads())
#define FMA __fmaf_rn
#endif

// Partial sums of a dot product, as on the host.
#define LANES 16

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef long long i64;

// Sixteen bytes that are loaded at once.
struct __align__(16) Quad {
    int word[4];
};

static __device__ __forceinline__ float float_of(u32 bits) { return __uint_as_float(bits); }
static __device__ __forceinline__ u32 bits_of(float value) { return __float_as_uint(value); }

// Half precision, which single precision holds exactly: the exponent is moved by 112, which also makes
// normal numbers of subnormal ones.
static __device__ __forceinline__ float half_of(u16 half) {
    u32 bits = (u32)(half & 0x7fff) << 13;
    bool finite = (half & 0x7c00) != 0x7c00;
    float value = finite ? float_of(bits) * float_of(0x77800000u) : float_of(bits | 0x7f800000u);
    return float_of(bits_of(value) | (u32)(half & 0x8000) << 16);
}

static __device__ __forceinline__ float brain_of(u16 brain) { return float_of((u32)brain << 16); }

// To bf16 and back, to the nearest, ties to even.
static __device__ __forceinline__ float shortened(float value) {
    u32 bits = bits_of(value);
    if (value != value) return float_of((bits | 0x00400000u) & 0xffff0000u);
    return float_of((bits + 0x7fffu + (bits >> 16 & 1)) & 0xffff0000u);
}

// The exponential, in the steps of the host's `math::exponential`, and beyond its range in those of libm.
static __device__ float exponential(float x) {
    const float ln2_high = float_of(0x3f317200u), ln2_low = float_of(0x35bfbe8eu);
    const float p1 = float_of(0x3e2aaa8fu), p2 = float_of(0xbb355215u);
    if (x != x) return x;
    if (x >= float_of(0x42b17218u)) return float_of(0x7f800000u);
    if (x <= float_of(0xc2cff1b5u)) return 0.0f;
    float size = fabsf(x);
    if (size <= float_of(0x39000000u)) return 1.0f + x;
    float many = truncf(float_of(0x3fb8aa3bu) * x + copysignf(0.5f, x));
    float k = size > float_of(0x3f851592u) ? many : copysignf(1.0f, x);
    k = size > float_of(0x3eb17218u) ? k : 0.0f;
    float high = x - k * ln2_high, low = k * ln2_low;
    float rest = high - low;
    float square = rest * rest;
    float c = rest - square * (p1 + square * p2);
    float y = 1.0f + (rest * c / (2.0f - c) - low + high);
    // Powers of two that are no normal numbers are multiplied in two steps, of which one rounds.
    int n = (int)k;
    if (n > 127) return y * float_of(0x7f000000u) * float_of((u32)(n) << 23);
    if (n < -126) return y * float_of(25u << 23) * float_of((u32)(n + 102 + 127) << 23);
    return y * float_of((u32)(n + 127) << 23);
}
