/* A disk that refuses: calls that change what lies below a folder fail on request. For LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[4096];
static long calls, first, last;
static int error;

/* Of the calls from now on, the first-th to the last-th fail with `number`; how many there were before. */
long faults(const char *below, long from, long to, int number)
{
    long before = calls;
    snprintf(folder, sizeof folder, "%s", below);
    calls = 0, first = from, last = to, error = number;
    return before;
}

static int fails(const char *path)
{
    if (!folder[0] || strncmp(path, folder, strlen(folder)))
        return 0;
    calls++;
    if (calls < first || calls > last)
        return 0;
    errno = error;
    return 1;
}

static int fails_fd(int fd)
{
    char link[64], path[4096];
    ssize_t octets;
    if (!folder[0])
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    octets = readlink(link, path, sizeof path - 1);
    if (octets < 0)
        return 0;
    path[octets] = 0;
    return fails(path);
}

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

#define WRITES(name, ...) \
    ssize_t name(int fd, const void *octets, size_t count) \
    { return fails_fd(fd) ? -1 : REAL(ssize_t, #name, int, const void *, size_t)(fd, octets, count); }
#define PLACES(name) \
    ssize_t name(int fd, const void *octets, size_t count, off64_t at) \
    { return fails_fd(fd) ? -1 : REAL(ssize_t, #name, int, const void *, size_t, off64_t)(fd, octets, count, at); }
#define SYNCS(name) \
    int name(int fd) { return fails_fd(fd) ? -1 : REAL(int, #name, int)(fd); }
#define SIZES(name) \
    int name(int fd, off64_t size) { return fails_fd(fd) ? -1 : REAL(int, #name, int, off64_t)(fd, size); }
#define GROWS(name) \
    int name(int fd, off64_t at, off64_t size) \
    { return fails_fd(fd) ? errno : REAL(int, #name, int, off64_t, off64_t)(fd, at, size); }
#define NAMES(name) \
    int name(const char *path) { return fails(path) ? -1 : REAL(int, #name, const char *)(path); }
#define OPENS(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return flags & O_CREAT && fails(path) ? -1 : REAL(int, #name, const char *, int, ...)(path, flags, mode); \
    }

WRITES(write)
PLACES(pwrite)
PLACES(pwrite64)
SYNCS(fsync)
SYNCS(fdatasync)
SIZES(ftruncate)
SIZES(ftruncate64)
GROWS(posix_fallocate)
GROWS(posix_fallocate64)
NAMES(unlink)
OPENS(open)
OPENS(open64)

int mkdir(const char *path, mode_t mode)
{
    return fails(path) ? -1 : REAL(int, "mkdir", const char *, mode_t)(path, mode);
}

int rename(const char *from, const char *to)
{
    return fails(to) ? -1 : REAL(int, "rename", const char *, const char *)(from, to);
}
