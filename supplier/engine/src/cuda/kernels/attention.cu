// What each head of each row makes of the positions that it sees.
//
// A page holds the keys of PAGE tokens, for each head and number of a head those of all tokens side by side, then
// their values, token by token: so neighbouring threads read neighbouring numbers of both.

// Where the rows of a step belong: their positions, and where the pages of their sequences are listed.
struct Step {
    const int *positions, *starts, *tables;
};

static __device__ __forceinline__ int first_seen(int position, int window) {
    return window && position + 1 > window ? position + 1 - window : 0;
}

static __device__ __forceinline__ const float *page_of(
    const float *pages, const Step &step, int row, int position, int width) {
    return pages + (i64)step.tables[step.starts[row] + position / PAGE] * 2 * PAGE * width;
}

// Turns pairs of queries and keys by the angles of their row's position, and puts keys and values into their page. A
// thread takes two numbers of a head.
extern "C" __global__ void place(float *queries, const float *keys, const float *values, const float *cos,
    const float *sin, float *pages, const int *positions, const int *starts, const int *tables, int heads, int kv_heads,
    int head, int apart, i64 count) {
    Step step = {positions, starts, tables};
    EACH(t) {
        i64 i = (i64)blockIdx.x * blockDim.x + t;
        if (i < count) {
            int half = head / 2, pair = (int)(i % half), all = heads + 2 * kv_heads, width = kv_heads * head;
            int row = (int)(i / half / all), which = (int)(i / half % all);
            int a = apart ? pair : 2 * pair, b = apart ? pair + half : 2 * pair + 1;
            float c = cos[(i64)row * half + pair], s = sin[(i64)row * half + pair];
            int spot = positions[row] % PAGE;
            float *page = (float *)page_of(pages, step, row, positions[row], width);
            if (which < heads) {
                float *own = queries + ((i64)row * heads + which) * head;
                float x = own[a], y = own[b];
                own[a] = x * c - y * s;
                own[b] = x * s + y * c;
            } else if (which < heads + kv_heads) {
                int from = (which - heads) * head;
                const float *own = keys + (i64)row * width + from;
                page[(from + a) * PAGE + spot] = own[a] * c - own[b] * s;
                page[(from + b) * PAGE + spot] = own[a] * s + own[b] * c;
            } else {
                int from = (which - heads - kv_heads) * head;
                const float *own = values + (i64)row * width + from;
                float *kept = page + PAGE * width + spot * width + from;
                kept[a] = own[a];
                kept[b] = own[b];
            }
        }
    }
}

// Scores of positions: 32 threads for a page, each a position. Products are added up in sixteen lanes, then the lanes
// in order. `row` is that of the first of the rows that are computed.
extern "C" __global__ void score(const float *queries, const float *pages, const int *positions, const int *starts,
    const int *tables, float *scores, int heads, int kv_heads, int head, float scale, int window, int span, int row,
    i64 count) {
    Step step = {positions, starts, tables};
    EACH(t) {
        i64 warp = (i64)blockIdx.x * (blockDim.x / PAGE) + t / PAGE;
        if (warp < count) {
            i64 which = warp / span;
            int own = row + (int)(which / heads), at = (int)(which % heads);
            int last = positions[own], first = first_seen(last, window);
            int page_start = (first / PAGE + (int)(warp % span)) * PAGE, position = page_start + t % PAGE;
            if (position >= first && position <= last) {
                const float *query = queries + ((i64)own * heads + at) * head;
                const float *page = page_of(pages, step, own, position, kv_heads * head);
                const float *key = page + (i64)(at / (heads / kv_heads)) * head * PAGE + t % PAGE;
                float lanes[LANES];
#pragma unroll
                for (int i = 0; i < LANES; ++i) lanes[i] = 0.0f;
                int from = 0;
                for (; from + LANES <= head; from += LANES) {
#pragma unroll
                    for (int i = 0; i < LANES; ++i) lanes[i] += query[from + i] * key[(from + i) * PAGE];
                }
#pragma unroll
                for (int i = 0; i < LANES; ++i) {
                    if (from + i < head) lanes[i] += query[from + i] * key[(from + i) * PAGE];
                }
                float sum = 0.0f;
#pragma unroll
                for (int i = 0; i < LANES; ++i) sum += lanes[i];
                scores[warp * PAGE + t % PAGE] = sum * scale;
            }
        }
    }
}

#define MIXERS 128

// Turns scores into weights that add up to one: a block for each head of each row. The sum has the order of
// positions.
extern "C" __global__ void __launch_bounds__(MIXERS) soften(
    float *scores, const int *positions, int heads, int window, int span, int row) {
    __shared__ float highest[MIXERS];
    __shared__ float sum;
    int last = positions[row + blockIdx.x / heads], first = first_seen(last, window);
    int count = last + 1 - first;
    float *own = scores + (i64)blockIdx.x * span * PAGE + first % PAGE;
    ALL(t) {
        float most = -float_of(0x7f800000u);
        for (int i = t; i < count; i += MIXERS) most = own[i] > most ? own[i] : most;
        highest[t] = most;
    }
    ALL(t) {
        float most = highest[0];
        for (int i = 1; i < MIXERS; ++i) most = highest[i] > most ? highest[i] : most;
        for (int i = t; i < count; i += MIXERS) own[i] = exponential(own[i] - most);
    }
    ALL(t) if (t == 0) {
        float all = 0.0f;
#pragma unroll 16
        for (int i = 0; i < count; ++i) all += own[i];
        sum = all;
    }
    EACH(t) for (int i = t; i < count; i += MIXERS) own[i] = own[i] / sum;
}

// Values by their weights, in the order of positions: a thread for each number of each head.
extern "C" __global__ void mix(const float *scores, const float *pages, const int *positions, const int *starts,
    const int *tables, float *mixed, int heads, int kv_heads, int head, int window, int span, int row, i64 count) {
    Step step = {positions, starts, tables};
    EACH(t) {
        i64 i = (i64)blockIdx.x * blockDim.x + t;
        if (i < count) {
            int at = (int)(i / head % heads), own = row + (int)(i / head / heads), width = kv_heads * head;
            int last = positions[own], first = first_seen(last, window);
            const float *weights = scores + i / head * span * PAGE - (i64)(first / PAGE) * PAGE;
            i64 place = (i64)PAGE * width + at / (heads / kv_heads) * head + i % head;
            float sum = 0.0f;
            for (int position = first; position <= last;) {
                const float *values = page_of(pages, step, own, position, width) + place;
                int end = (position / PAGE + 1) * PAGE;
                end = end < last + 1 ? end : last + 1;
#pragma unroll 8
                for (; position < end; ++position) {
                    sum += weights[position] * values[(i64)(position % PAGE) * width];
                }
            }
            mixed[(i64)row * heads * head + i] = sum;
        }
    }
}
