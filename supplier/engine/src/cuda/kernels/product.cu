// Products of matrices with rows of activations.
//
// A block computes one strip - sixteen outputs - for up to M rows. Its threads add up integers, each a group of
// weights of one output at a time, for whose sums no order matters; then one thread for each output takes
// the groups in order. So weights are read by all threads at once, and each output has the floating-point
// steps of the host's kernels, in their order.

// Groups times rows that a block holds sums of at once.
#define HELD 256
#define THREADS 256

// Activations, rounded: codes, and for each block of a row its scale and sums.
struct Activations {
    const signed char *codes;
    const float *scales, *sums, *halves;
    int blocks;
};

struct Target {
    const float *bias, *residual;
    float *out;
    int outputs, count;
};

static __device__ __forceinline__ void put(const Target &to, int row, int output, float value) {
    if (row >= to.count || output >= to.outputs) return;
    i64 at = (i64)row * to.outputs + output;
    if (to.bias) value = value + to.bias[output];
    if (to.residual) value = to.residual[at] + value;
    to.out[at] = value;
}

static __device__ __forceinline__ float half_at(const u8 *heads, int index) {
    return half_of(((const u16 *)heads)[index]);
}

// How the codes of a form become eight words of signed bytes. Lines hold one word for each lane.
struct Wide {
    enum { LINES = 8, PARTS = 1 };
    static __device__ __forceinline__ void words(const u32 *line, int *words) {
#pragma unroll
        for (int i = 0; i < 8; ++i) words[i] = (int)line[i * COLUMNS];
    }
};

struct Narrow {
    enum { LINES = 4, PARTS = 1 };
    static __device__ __forceinline__ void words(const u32 *line, int *words) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            u32 both = line[i * COLUMNS];
            words[2 * i] = (int)(both & 0x0f0f0f0fu);
            words[2 * i + 1] = (int)(both >> 4 & 0x0f0f0f0fu);
        }
    }
};

// Sums of one row and output, group after group.
struct Sums {
    const int *from;
    int parts;
    __device__ __forceinline__ float at(int group, int part) const {
        return (float)from[(group * parts + part) * COLUMNS];
    }
};

// A stretch of groups of one row and output, from group `from` of the row on.
struct Chain {
    Sums sums;
    const u8 *heads;
    int lane, from, groups;
    const float *scales, *group_sums, *half_sums;
};

struct Eight : Wide {
    static __device__ __forceinline__ int head_bytes(int groups) { return groups * 2 * COLUMNS; }
    static __device__ __forceinline__ void words(const u32 *line, int *words) {
        Wide::words(line, words);
#pragma unroll
        for (int i = 0; i < 8; ++i) words[i] ^= (int)0x80808080u;
    }
    static __device__ __forceinline__ float go(const Chain &chain, float total) {
#pragma unroll 8
        for (int i = 0; i < chain.groups; ++i) {
            int group = chain.from + i;
            float scale = half_at(chain.heads, group * COLUMNS + chain.lane) * chain.scales[group / GROUPS];
            total = FMA(chain.sums.at(i, 0), scale, total);
        }
        return total;
    }
};

template <class Codes> struct Pairs : Codes {
    static __device__ __forceinline__ int head_bytes(int groups) { return groups * 4 * COLUMNS; }
    static __device__ __forceinline__ float go(const Chain &chain, float total) {
#pragma unroll 8
        for (int i = 0; i < chain.groups; ++i) {
            int group = chain.from + i, at = group * 2 * COLUMNS + chain.lane;
            float own = chain.scales[group / GROUPS];
            float scale = half_at(chain.heads, at) * own;
            float shift = own * chain.group_sums[group];
            total = FMA(chain.sums.at(i, 0), scale, total);
            total = FMA(half_at(chain.heads, at + COLUMNS), shift, total);
        }
        return total;
    }
};

template <class Codes> struct Super : Codes {
    enum { HEAD = 4 * COLUMNS + 2 * GROUPS * COLUMNS };
    static __device__ __forceinline__ int head_bytes(int groups) { return groups / GROUPS * HEAD; }
    static __device__ __forceinline__ float go(const Chain &chain, float total) {
        for (int i = 0; i < chain.groups; i += GROUPS) {
            int block = (chain.from + i) / GROUPS;
            const u8 *head = chain.heads + (i64)block * HEAD;
            const u8 *small = head + 4 * COLUMNS + chain.lane;
            float above = 0.0f, below = 0.0f;
#pragma unroll
            for (int j = 0; j < GROUPS; ++j) {
                float scale = (float)small[j * COLUMNS], least = (float)small[(GROUPS + j) * COLUMNS];
                above = FMA(chain.sums.at(i + j, 0), scale, above);
                below = FMA(least, chain.group_sums[block * GROUPS + j], below);
            }
            float own = chain.scales[block];
            total = FMA(above, half_at(head, chain.lane) * own, total);
            total = FMA(-below, half_at(head, COLUMNS + chain.lane) * own, total);
        }
        return total;
    }
};

struct Six : Wide {
    enum { PARTS = 2, HEAD = 2 * COLUMNS + 2 * GROUPS * COLUMNS };
    static __device__ __forceinline__ int head_bytes(int groups) { return groups / GROUPS * HEAD; }
    static __device__ __forceinline__ float go(const Chain &chain, float total) {
        for (int i = 0; i < chain.groups; i += GROUPS) {
            int block = (chain.from + i) / GROUPS;
            const u8 *head = chain.heads + (i64)block * HEAD;
            const signed char *small = (const signed char *)head + 2 * COLUMNS + chain.lane;
            float above = 0.0f, below = 0.0f;
#pragma unroll
            for (int j = 0; j < 2 * GROUPS; ++j) {
                float scale = (float)small[j * COLUMNS];
                above = FMA(chain.sums.at(i + j / 2, j % 2), scale, above);
                below = FMA(scale, chain.half_sums[block * 2 * GROUPS + j], below);
            }
            float value = FMA(-below, 32.0f, above);
            total = FMA(value, half_at(head, chain.lane) * chain.scales[block], total);
        }
        return total;
    }
};

// The integer sums of one group of one output with M rows.
template <class Form, int M>
static __device__ __forceinline__ void group_sums(
    const u32 *line, const signed char *codes, i64 stride, int rows, int *sums, int row_stride) {
    int words[8];
    Form::words(line, words);
#pragma unroll
    for (int m = 0; m < M; ++m) {
        if (m >= rows) break;
        const Quad *quads = (const Quad *)(codes + m * stride);
        Quad low = quads[0], high = quads[1];
        int first = 0, second = 0;
#pragma unroll
        for (int i = 0; i < 4; ++i) first = __dp4a(words[i], low.word[i], first);
#pragma unroll
        for (int i = 0; i < 4; ++i) second = __dp4a(words[4 + i], high.word[i], second);
        int *to = sums + m * row_stride;
        if (Form::PARTS == 1) {
            to[0] = first + second;
        } else {
            to[0] = first;
            to[COLUMNS] = second;
        }
    }
}

template <class Form, int M>
static __device__ __forceinline__ void integers(
    const u8 *codes, const u8 *heads, int groups, const Activations &rows, const Target &to) {
    const int held = HELD / M, row_sums = held * Form::PARTS * COLUMNS + COLUMNS;
    __shared__ int sums[M * row_sums];
    __shared__ float totals[M * COLUMNS];
    int tiles = (to.count + M - 1) / M;
    int strip = blockIdx.x / tiles, first = blockIdx.x % tiles * M;
    int here = to.count - first < M ? to.count - first : M;
    const u32 *lines = (const u32 *)codes + (i64)strip * groups * Form::LINES * COLUMNS;
    const u8 *head = heads + (i64)strip * Form::head_bytes(groups);
    i64 stride = (i64)rows.blocks * BLOCK;
    ALL(t) if (t < M * COLUMNS) totals[t] = 0.0f;
    for (int from = 0; from < groups; from += held) {
        int some = groups - from < held ? groups - from : held;
        ALL(t) {
            int lane = t % COLUMNS;
            // With few rows reading the weights is all there is to do: more of them are asked for at once.
#pragma unroll (M < 4 ? 4 : 1)
            for (int g = t / COLUMNS; g < some; g += THREADS / COLUMNS) {
                const u32 *line = lines + (i64)(from + g) * Form::LINES * COLUMNS + lane;
                const signed char *row = rows.codes + first * stride + (i64)(from + g) * GROUP;
                group_sums<Form, M>(line, row, stride, here, sums + g * Form::PARTS * COLUMNS + lane, row_sums);
            }
        }
        ALL(t) if (t < here * COLUMNS) {
            int m = t / COLUMNS, lane = t % COLUMNS;
            i64 block = (i64)(first + m) * rows.blocks;
            Chain chain = {{sums + m * row_sums + lane, Form::PARTS}, head, lane, from, some,
                rows.scales + block, rows.sums + block * GROUPS, rows.halves + block * 2 * GROUPS};
            totals[t] = Form::go(chain, totals[t]);
        }
    }
    EACH(t) if (t < here * COLUMNS) put(to, first + t / COLUMNS, strip * COLUMNS + t % COLUMNS, totals[t]);
}

#define INTEGERS(name, form, M)                                                                                  \
    extern "C" __global__ void __launch_bounds__(THREADS) name##_##M(const u8 *codes, const u8 *heads, int groups, \
        const signed char *row_codes, const float *scales, const float *sums, const float *halves, int blocks,   \
        const float *bias, const float *residual, float *out, int outputs, int count) {                         \
        Activations rows = {row_codes, scales, sums, halves, blocks};                                            \
        Target to = {bias, residual, out, outputs, count};                                                       \
        integers<form, M>(codes, heads, groups, rows, to);                                                       \
    }
#define INTEGERS_OF(name, form) INTEGERS(name, form, 1) INTEGERS(name, form, 2) INTEGERS(name, form, 4) INTEGERS(name, form, 8)

INTEGERS_OF(eight, Eight)
INTEGERS_OF(pairs4, Pairs<Narrow>)
INTEGERS_OF(pairs8, Pairs<Wide>)
INTEGERS_OF(super4, Super<Narrow>)
INTEGERS_OF(super8, Super<Wide>)
INTEGERS_OF(six, Six)

struct Single {
    typedef float Type;
    static __device__ __forceinline__ float of(float weight) { return weight; }
};
struct Half {
    typedef u16 Type;
    static __device__ __forceinline__ float of(u16 weight) { return half_of(weight); }
};
struct Brain {
    typedef u16 Type;
    static __device__ __forceinline__ float of(u16 weight) { return brain_of(weight); }
};

// Weights that are floats: even columns are added up by one thread, odd ones by another, both in order.
template <class Weight, int M>
static __device__ __forceinline__ void floats(
    const typename Weight::Type *weights, int columns, i64 strip_weights, const float *values, const Target &to) {
    __shared__ float halves[M * 2 * COLUMNS];
    int tiles = (to.count + M - 1) / M;
    int strip = blockIdx.x / tiles, first = blockIdx.x % tiles * M;
    int here = to.count - first < M ? to.count - first : M;
    const typename Weight::Type *own = weights + strip * strip_weights;
    ALL(t) {
        float sums[M];
#pragma unroll
        for (int m = 0; m < M; ++m) sums[m] = 0.0f;
        const float *row = values + (i64)first * columns;
#pragma unroll 8
        for (int column = t / COLUMNS; column < columns; column += 2) {
            float weight = Weight::of(own[(i64)column * COLUMNS + t % COLUMNS]);
#pragma unroll
            for (int m = 0; m < M; ++m) {
                if (m < here) sums[m] = FMA(weight, row[(i64)m * columns + column], sums[m]);
            }
        }
#pragma unroll
        for (int m = 0; m < M; ++m) halves[m * 2 * COLUMNS + t] = sums[m];
    }
    EACH(t) for (int m = t / COLUMNS; m < here; m += 2) {
        const float *both = halves + m * 2 * COLUMNS + t % COLUMNS;
        put(to, first + m, strip * COLUMNS + t % COLUMNS, both[0] + both[COLUMNS]);
    }
}

#define FLOATS(name, weight, M)                                                                                \
    extern "C" __global__ void __launch_bounds__(2 * COLUMNS) name##_##M(const weight::Type *weights, int columns, \
        i64 strip, const float *values, const float *bias, const float *residual, float *out, int outputs,      \
        int count) {                                                                                           \
        Target to = {bias, residual, out, outputs, count};                                                     \
        floats<weight, M>(weights, columns, strip, values, to);                                                \
    }
#define FLOATS_OF(name, weight) FLOATS(name, weight, 1) FLOATS(name, weight, 2) FLOATS(name, weight, 4) FLOATS(name, weight, 8)

FLOATS_OF(f32, Single)
FLOATS_OF(f16, Half)
FLOATS_OF(bf16, Brain)
