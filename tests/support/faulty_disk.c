/* Preloaded into a program, it lets calls on files below one directory fail, as a rule in a shared file says.

   LD_FAULTY_BELOW names the directory, LD_FAULTY_RULE the file: three ints, which calls (bits below), with which errno, and
   one in how many. A write that fails may have written half before. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, RENAME = 4, MAKE = 8 };

static struct rule { volatile int calls, error, one_in; } *rule;
static const char *below;
static __thread unsigned seed;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("LD_FAULTY_RULE");
    below = getenv("LD_FAULTY_BELOW");
    int fd = path && below ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *shared = mmap(NULL, sizeof *rule, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (shared != MAP_FAILED) rule = shared;
}

static int is_due(int call) {
    if (!rule || !(rule->calls & call)) return 0;
    if (!seed) seed = (unsigned)getpid() * 2654435761u + (unsigned)(size_t)&seed;
    return rule->one_in <= 1 || rand_r(&seed) % rule->one_in == 0;
}

static int is_below(const char *path) { return path && !strncmp(path, below, strlen(below)); }

static int fails(int call) {
    if (!is_due(call)) return 0;
    errno = rule->error;
    return 1;
}

static int fails_on(int call, int fd) {
    char name[64], path[PATH_MAX];
    int before = errno;
    if (!is_due(call)) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    if (!is_below(path)) return 0;
    errno = rule->error;
    return 1;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    if (fails_on(WRITE, fd)) {
        int error = errno;
        if (size > 1 && real(fd, data, size / 2) < 0) return -1;
        errno = error;
        return -1;
    }
    return real(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(pwrite);
    return fails_on(WRITE, fd) ? -1 : real(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    return fails_on(WRITE, fd) ? -1 : real(fd, data, size, at);
}

int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    return fails_on(WRITE, fd) ? -1 : real(fd, size);
}

int fsync(int fd) {
    REAL(fsync);
    return fails_on(SYNC, fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    return fails_on(SYNC, fd) ? -1 : real(fd);
}

int rename(const char *from, const char *to) {
    REAL(rename);
    return is_below(to) && fails(RENAME) ? -1 : real(from, to);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to) {
    REAL(renameat);
    return is_below(to) && fails(RENAME) ? -1 : real(from_fd, from, to_fd, to);
}

static int makes(const char *path, int flags) {
    return (flags & O_CREAT) && is_below(path) && access(path, F_OK) && fails(MAKE);
}

int open(const char *path, int flags, ...) {
    REAL(open);
    __builtin_va_list rest;
    __builtin_va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? __builtin_va_arg(rest, mode_t) : 0;
    __builtin_va_end(rest);
    return rule && makes(path, flags) ? -1 : real(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    REAL(open64);
    __builtin_va_list rest;
    __builtin_va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? __builtin_va_arg(rest, mode_t) : 0;
    __builtin_va_end(rest);
    return rule && makes(path, flags) ? -1 : real(path, flags, mode);
}
