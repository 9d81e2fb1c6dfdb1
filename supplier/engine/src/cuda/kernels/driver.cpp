// Stands in for NVIDIA's driver and run-time compiler in a test: as much of both as is called here, over the emulated
// kernels. GPU_CAPABILITY and GPU_FREE say what GPU it plays.

#include <cstdio>
#include <cstdlib>

enum { SUCCESS = 0, INVALID = 1, NO_MEMORY = 2, NO_DEVICE = 101, NOT_FOUND = 500 };

static void *const context = (void *)64, *const module = (void *)128, *const stream = (void *)192;
static void *current = nullptr;
static bool begun = false;
static size_t taken = 0;

static size_t number(const char *name, size_t usual) {
    const char *text = getenv(name);
    return text ? strtoull(text, nullptr, 10) : usual;
}

static const size_t all = 8ull << 30;

extern "C" {

int cuInit(unsigned flags) {
    begun = true;
    return flags ? INVALID : SUCCESS;
}

int cuDeviceGetCount(int *count) {
    *count = 1;
    return begun ? SUCCESS : INVALID;
}

int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return ordinal == 0 ? SUCCESS : NO_DEVICE;
}

int cuDevicePrimaryCtxRetain(void **made, int) {
    *made = context;
    return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }

int cuCtxSetCurrent(void *made) {
    current = made;
    return made == context ? SUCCESS : INVALID;
}

int cuCtxGetCurrent(void **made) {
    *made = current;
    return SUCCESS;
}

int cuCtxSynchronize() { return current ? SUCCESS : INVALID; }

int cuDeviceGetName(char *name, int length, int) {
    snprintf(name, length, "Stand-in");
    return SUCCESS;
}

int cuDeviceGetAttribute(int *value, int attribute, int) {
    size_t capability = number("GPU_CAPABILITY", 90);
    *value = attribute == 75 ? capability / 10 : attribute == 76 ? capability % 10 : 0;
    return SUCCESS;
}

int cuStreamCreate(void **made, unsigned) {
    *made = stream;
    return current ? SUCCESS : INVALID;
}

int cuStreamDestroy_v2(void *) { return SUCCESS; }

int cuStreamSynchronize(void *made) { return made == stream ? SUCCESS : INVALID; }

int cuMemGetInfo_v2(size_t *free, size_t *whole) {
    *free = number("GPU_FREE", all) - taken;
    *whole = all;
    return current ? SUCCESS : INVALID;
}

int cuMemAlloc_v2(void **place, size_t bytes) {
    if (bytes == 0 || !current) return INVALID;
    if (taken + bytes > number("GPU_FREE", all)) return NO_MEMORY;
    // The size stands before the memory, which begins at a multiple of 256, as a GPU's does.
    char *whole = (char *)aligned_alloc(256, (bytes + 2 * 256 - 1) / 256 * 256);
    memcpy(whole, &bytes, sizeof bytes);
    memset(whole + 256, 0xff, bytes);
    taken += bytes;
    *place = whole + 256;
    return SUCCESS;
}

int cuMemFree_v2(char *place) {
    size_t bytes;
    memcpy(&bytes, place - 256, sizeof bytes);
    taken -= bytes;
    free(place - 256);
    return SUCCESS;
}

int cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t bytes, void *made) {
    memcpy(to, from, bytes);
    return made == stream && current ? SUCCESS : INVALID;
}

int cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t bytes, void *made) {
    memcpy(to, from, bytes);
    return made == stream && current ? SUCCESS : INVALID;
}

int cuModuleLoadData(void **made, const void *code) {
    *made = module;
    return memcmp(code, "code", 4) == 0 ? SUCCESS : INVALID;
}

int cuModuleUnload(void *) { return SUCCESS; }

int cuModuleGetFunction(void **function, void *made, const char *name) {
    for (unsigned i = 0; i < sizeof names / sizeof *names; ++i) {
        if (strcmp(names[i], name) == 0) {
            *function = (void *)(uintptr_t)(i + 1);
            return made == module ? SUCCESS : INVALID;
        }
    }
    return NOT_FOUND;
}

int cuLaunchKernel(void *function, unsigned blocks, unsigned y, unsigned z, unsigned threads, unsigned ty, unsigned tz,
    unsigned shared, void *made, void **arguments, void **extra) {
    bool flat = y == 1 && z == 1 && ty == 1 && tz == 1 && shared == 0 && !extra;
    if (!flat || made != stream || !current || !blocks || !threads || threads > 1024) return INVALID;
    emulate((unsigned)(uintptr_t)function - 1, blocks, threads, arguments);
    return SUCCESS;
}

int cuGetErrorName(int, const char **name) {
    *name = "error";
    return SUCCESS;
}

int cuGetErrorString(int error, const char **text) {
    *text = error == NO_MEMORY ? "out of memory" : "invalid";
    return SUCCESS;
}

int nvrtcGetNumSupportedArchs(int *count) {
    *count = 3;
    return SUCCESS;
}

int nvrtcGetSupportedArchs(int *known) {
    const int archs[] = {70, 80, 90};
    memcpy(known, archs, sizeof archs);
    return SUCCESS;
}

int nvrtcCreateProgram(void **program, const char *text, const char *, int, const char *const *, const char *const *) {
    *program = module;
    return strstr(text, "__global__") ? SUCCESS : INVALID;
}

int nvrtcCompileProgram(void *, int count, const char *const *options) {
    bool plain = false;
    for (int i = 0; i < count; ++i) plain = plain || strcmp(options[i], "--fmad=false") == 0;
    return plain ? SUCCESS : INVALID;
}

int nvrtcGetCUBINSize(void *, size_t *size) {
    *size = 5;
    return SUCCESS;
}

int nvrtcGetCUBIN(void *, char *code) {
    memcpy(code, "code", 5);
    return SUCCESS;
}

int nvrtcGetPTXSize(void *, size_t *size) { return nvrtcGetCUBINSize(nullptr, size); }

int nvrtcGetPTX(void *, char *code) { return nvrtcGetCUBIN(nullptr, code); }

int nvrtcDestroyProgram(void **) { return SUCCESS; }
}
