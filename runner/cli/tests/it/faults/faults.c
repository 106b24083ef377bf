/* Makes a call of the C library fail: the `nth` of its kind, or that one and all after it. Loaded before the program
   by LD_PRELOAD; for tests.

   GRISTMILL_FAULT_CALL   the kind: write, fsync, fdatasync, rename, link, ftruncate, open, mmap, getrandom, thread
   GRISTMILL_FAULT_NTH    which of them, from 1; 0 fails none
   GRISTMILL_FAULT_ERRNO  the error, as a number
   GRISTMILL_FAULT_STICKY whether all after it fail too
   GRISTMILL_FAULT_UNDER  calls about files count only below this folder
   GRISTMILL_FAULT_COUNT  a file that gets the number of calls when the process ends

   Only this process is concerned, not those that it starts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

static char call[32], under[PATH_MAX], counted[PATH_MAX];
static long nth;
static int error, sticky;
static atomic_long seen;
static pid_t self;

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

__attribute__((constructor)) static void start(void) {
    snprintf(call, sizeof call, "%s", setting("GRISTMILL_FAULT_CALL"));
    snprintf(under, sizeof under, "%s", setting("GRISTMILL_FAULT_UNDER"));
    snprintf(counted, sizeof counted, "%s", setting("GRISTMILL_FAULT_COUNT"));
    nth = atol(setting("GRISTMILL_FAULT_NTH"));
    error = atoi(setting("GRISTMILL_FAULT_ERRNO"));
    sticky = atoi(setting("GRISTMILL_FAULT_STICKY"));
    self = getpid();
    unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void finish(void) {
    if (counted[0] && getpid() == self) {
        FILE *file = fopen(counted, "w");
        if (file) {
            fprintf(file, "%ld\n", atomic_load(&seen));
            fclose(file);
        }
    }
}

static int fails(const char *name) {
    if (strcmp(call, name) != 0 || getpid() != self) return 0;
    long number = atomic_fetch_add(&seen, 1) + 1;
    if (nth > 0 && (number == nth || (sticky && number > nth))) {
        errno = error;
        return 1;
    }
    return 0;
}

static int path_counts(const char *path) { return strncmp(path, under, strlen(under)) == 0; }

static int file_counts(int fd) {
    char link[40], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    return path_counts(path);
}

#define REAL(type, name, ...)                                   \
    static type (*real)(__VA_ARGS__);                           \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
#define FILE_FAILS(name, fd) (strcmp(call, name) == 0 && file_counts(fd) && fails(name))

ssize_t write(int fd, const void *bytes, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return FILE_FAILS("write", fd) ? -1 : real(fd, bytes, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    return FILE_FAILS("write", fd) ? -1 : real(fd, parts, count);
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return FILE_FAILS("write", fd) ? -1 : real(fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return FILE_FAILS("write", fd) ? -1 : real(fd, bytes, size, at);
}
int fsync(int fd) {
    REAL(int, "fsync", int);
    return FILE_FAILS("fsync", fd) ? -1 : real(fd);
}
int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return FILE_FAILS("fdatasync", fd) ? -1 : real(fd);
}
int ftruncate(int fd, off_t size) {
    REAL(int, "ftruncate", int, off_t);
    return FILE_FAILS("ftruncate", fd) ? -1 : real(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    REAL(int, "ftruncate64", int, off64_t);
    return FILE_FAILS("ftruncate", fd) ? -1 : real(fd, size);
}
int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    return path_counts(to) && fails("rename") ? -1 : real(from, to);
}
int link(const char *from, const char *to) {
    REAL(int, "link", const char *, const char *);
    return path_counts(to) && fails("link") ? -1 : real(from, to);
}
int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
    REAL(int, "linkat", int, const char *, int, const char *, int);
    return path_counts(to) && fails("link") ? -1 : real(from_fd, from, to_fd, to, flags);
}
static mode_t mode_of(int flags, va_list arguments) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}
int open(const char *path, int flags, ...) {
    REAL(int, "open", const char *, int, ...);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return path_counts(path) && fails("open") ? -1 : real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    REAL(int, "open64", const char *, int, ...);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return path_counts(path) && fails("open") ? -1 : real(path, flags, mode);
}
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    REAL(void *, "mmap", void *, size_t, int, int, int, off_t);
    return fails("mmap") ? MAP_FAILED : real(at, size, protection, flags, fd, offset);
}
void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset) {
    REAL(void *, "mmap64", void *, size_t, int, int, int, off64_t);
    return fails("mmap") ? MAP_FAILED : real(at, size, protection, flags, fd, offset);
}
ssize_t getrandom(void *bytes, size_t size, unsigned flags) {
    REAL(ssize_t, "getrandom", void *, size_t, unsigned);
    return fails("getrandom") ? -1 : real(bytes, size, flags);
}
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *with) {
    REAL(int, "pthread_create", pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    return fails("thread") ? error : real(thread, attributes, run, with);
}
