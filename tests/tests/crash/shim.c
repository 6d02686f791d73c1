/*
 * Preloaded into the server under test: sees everything that the process does to the files of one
 * directory, writes it down in order, and makes chosen calls fail.
 *
 * This is C and not Rust because `open` is variadic, which stable Rust can't define, and because a
 * preloaded library must define the C library's own names. The tests build it when they run.
 *
 * CRASH_DIR    the watched directory, as an absolute path without symbolic links. It may be made
 *              later; of its parent only syncs are watched.
 * CRASH_TRACE  the file, elsewhere, to which the trace is appended.
 * CRASH_FAULT  optional: CLASS:N:WHAT or CLASS:N+:WHAT. CLASS is write (whatever changes data, sizes
 *              or names), sync or effect (both). The N-th call of the class, counted from 1 in this
 *              process, or the N-th and all later ones, fail with the errno WHAT. `short` instead
 *              writes half (later ones fail with ENOSPC); `exit` lets the call happen and ends the
 *              process at once after it, as kill -9 would.
 *
 * A trace is a sequence of records in the machine's byte order: u8 kind, 7 bytes of zero, u64
 * inode, u64 value, u64 length of what follows, then so many bytes. Paths are relative to the
 * parent of the watched directory.
 *
 *   P  a process started                     S  synced; value: where the trace ended when the
 *   C  file made; path                          sync began; path
 *   D  directory made; path                  G  sync_file_range returned; path
 *   W  written; value: offset; the bytes     F  a call failed by order; value: errno; path
 *   T  size set; value: the size
 *   R  renamed; path, zero byte, new path    U  removed; path
 *
 * Effects happen under one lock, so that the trace has their order. Syncs don't, because what is
 * written while a sync runs is not covered by it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum class { WRITE, SYNC };
enum order { PASS, FAIL, SHORT };
enum { EXIT = -1, HALF = -2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char dir[PATH_MAX];
static size_t dir_length, parent_length;
static int trace = -1;
static long counted[2];
static struct {
    int given, writes, syncs, from_then_on, what;
    long number;
} fault;

static void die(const char *why) {
    dprintf(2, "crash shim: %s\n", why);
    abort();
}

static void note(char kind, uint64_t inode, uint64_t value, const void *bytes, size_t length) {
    struct {
        char kind, zero[7];
        uint64_t inode, value, length;
    } head = {kind, {0}, inode, value, length};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)bytes, length}};
    int error = errno;
    if (syscall(SYS_writev, trace, parts, 2) != (long)(sizeof head + length)) die("write the trace");
    errno = error;
}

static uint64_t trace_end(void) {
    struct stat stat;
    if (fstat(trace, &stat)) die("measure the trace");
    return (uint64_t)stat.st_size;
}

__attribute__((constructor)) static void start(void) {
    const char *watched = getenv("CRASH_DIR"), *path = getenv("CRASH_TRACE");
    const char *text = getenv("CRASH_FAULT");
    if (!watched || !path) return;
    trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (trace < 0) die("open CRASH_TRACE");
    if (text) {
        char class[8], *what = strrchr(text, ':');
        if (!what || sscanf(text, "%7[a-z]:%ld", class, &fault.number) != 2) die("read CRASH_FAULT");
        fault.given = 1;
        fault.writes = strcmp(class, "sync") != 0;
        fault.syncs = strcmp(class, "write") != 0;
        fault.from_then_on = what[-1] == '+';
        fault.what = !strcmp(what, ":exit") ? EXIT : !strcmp(what, ":short") ? HALF : atoi(what + 1);
    }
    strcpy(dir, watched);
    parent_length = (size_t)(strrchr(dir, '/') - dir);
    dir_length = strlen(dir);
    note('P', 0, 0, "", 0);
}

/* Whether a path is watched; its parent is, for syncs. */
static int is_watched(const char *path) {
    if (!dir_length || strncmp(path, dir, parent_length)) return 0;
    return !path[parent_length] ||
           (!strncmp(path, dir, dir_length) && (!path[dir_length] || path[dir_length] == '/'));
}

static const char *relative(const char *path) {
    return path[parent_length] ? path + parent_length + 1 : "";
}

static void note_path(char kind, uint64_t inode, uint64_t value, const char *path) {
    note(kind, inode, value, relative(path), strlen(relative(path)));
}

/* The path of an open file, if it is watched. Asked each time, so that no way of opening or
 * duplicating a descriptor is missed. */
static int is_watched_file(int fd, char *path, struct stat *stat) {
    char link[40];
    if (!dir_length || fstat(fd, stat) || !(S_ISREG(stat->st_mode) || S_ISDIR(stat->st_mode))) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_watched(path);
}

/* Makes a path absolute; says whether it is watched. */
static int is_watched_at(int at, const char *path, char *full) {
    char link[40];
    if (!dir_length) return 0;
    if (path[0] == '/') return snprintf(full, PATH_MAX, "%s", path), is_watched(full);
    if (at == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    ssize_t length = readlink(link, full, PATH_MAX - 1);
    if (length < 0) return 0;
    snprintf(full + length, (size_t)(PATH_MAX - length), "/%s", path);
    return is_watched(full);
}

static int is_ordered(enum class class) {
    long calls = ++counted[class];
    if (!fault.given || !(class == WRITE ? fault.writes : fault.syncs)) return 0;
    if (fault.writes && fault.syncs) calls = counted[WRITE] + counted[SYNC];
    return calls == fault.number || (fault.from_then_on && calls > fault.number);
}

/* Counts a call and says whether it shall fail. The lock is held. */
static enum order ordered(enum class class, const char *path) {
    if (!is_ordered(class) || fault.what == EXIT) return PASS;
    int first = !fault.from_then_on || counted[class] == fault.number;
    errno = fault.what == HALF ? ENOSPC : fault.what;
    note_path('F', 0, (uint64_t)errno, path);
    return fault.what == HALF && first ? SHORT : FAIL;
}

/* Ends the process after the call that was chosen for that. The lock is held. */
static void done(void) {
    if (fault.given && fault.what == EXIT && counted[WRITE] + counted[SYNC] >= fault.number)
        syscall(SYS_exit_group, 137);
    pthread_mutex_unlock(&lock);
}

static ssize_t written(int fd, const void *bytes, size_t size, off64_t offset, const char *path,
                       const struct stat *stat) {
    pthread_mutex_lock(&lock);
    enum order order = ordered(WRITE, path);
    if (order == SHORT) size /= 2;
    if (order == FAIL || (order == SHORT && !size)) return pthread_mutex_unlock(&lock), -1;
    int appends = fcntl(fd, F_GETFL) & O_APPEND;
    off64_t place = offset >= 0 ? offset : appends ? stat->st_size : lseek64(fd, 0, SEEK_CUR);
    ssize_t result = offset >= 0 ? syscall(SYS_pwrite64, fd, bytes, size, offset)
                                 : syscall(SYS_write, fd, bytes, size);
    if (result > 0) note('W', stat->st_ino, (uint64_t)place, bytes, (size_t)result);
    done();
    return result;
}

#define WRITES(signature, offset, bytes, size, passed)                                       \
    signature {                                                                              \
        char path[PATH_MAX];                                                                 \
        struct stat stat;                                                                    \
        if (!is_watched_file(fd, path, &stat)) return syscall passed;                        \
        return written(fd, bytes, size, offset, path, &stat);                                \
    }
WRITES(ssize_t write(int fd, const void *from, size_t size), -1, from, size,
       (SYS_write, fd, from, size))
WRITES(ssize_t pwrite(int fd, const void *from, size_t size, off_t at), at, from, size,
       (SYS_pwrite64, fd, from, size, at))
WRITES(ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at), at, from, size,
       (SYS_pwrite64, fd, from, size, at))

/* Writing the first part only is allowed, and callers go on. */
static const struct iovec *first(const struct iovec *parts, int count) {
    while (count-- > 1 && !parts->iov_len) parts++;
    return parts;
}
#define FIRST first(parts, count)->iov_base, first(parts, count)->iov_len
#define WRITES_PARTS(signature, offset, passed) WRITES_OF(signature, offset, FIRST, passed)
#define WRITES_OF(signature, offset, parts, passed) WRITES(signature, offset, parts, passed)
WRITES_PARTS(ssize_t writev(int fd, const struct iovec *parts, int count), -1,
             (SYS_writev, fd, parts, count))
WRITES_PARTS(ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at), at,
             (SYS_pwritev, fd, parts, count, at, 0L))
WRITES_PARTS(ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at), at,
             (SYS_pwritev, fd, parts, count, at, 0L))

static int opened(int at, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    struct stat before, after;
    if (!(flags & (O_CREAT | O_TRUNC)) || !is_watched_at(at, path, full))
        return (int)syscall(SYS_openat, at, path, flags, mode);
    if ((flags & O_TMPFILE) == O_TMPFILE) die("a file without a name is not traced");
    pthread_mutex_lock(&lock);
    int existed = !stat(full, &before);
    int cuts = existed && (flags & O_TRUNC) && before.st_size, makes = !existed && (flags & O_CREAT);
    if ((cuts || makes) && ordered(WRITE, full) != PASS) return pthread_mutex_unlock(&lock), -1;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (fd >= 0 && !fstat(fd, &after)) {
        if (makes) note_path('C', after.st_ino, 0, full);
        if (cuts) note('T', after.st_ino, 0, "", 0);
    }
    int error = errno;
    done();
    errno = error;
    return fd;
}

#define OPENS(signature, last, at, path)                                                     \
    signature {                                                                              \
        va_list rest;                                                                        \
        va_start(rest, last);                                                                \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;              \
        va_end(rest);                                                                        \
        return opened(at, path, flags, mode);                                                \
    }
OPENS(int open(const char *path, int flags, ...), flags, AT_FDCWD, path)
OPENS(int open64(const char *path, int flags, ...), flags, AT_FDCWD, path)
OPENS(int openat(int at, const char *path, int flags, ...), flags, at, path)
OPENS(int openat64(int at, const char *path, int flags, ...), flags, at, path)
int creat(const char *path, mode_t mode) {
    return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* A size that is set, or raised by an allocation. */
static int resized(int fd, off64_t size, int allocates) {
    char path[PATH_MAX];
    struct stat stat;
    if (!is_watched_file(fd, path, &stat))
        return (int)(allocates ? syscall(SYS_fallocate, fd, 0L, 0L, size)
                               : syscall(SYS_ftruncate, fd, size));
    pthread_mutex_lock(&lock);
    if (ordered(WRITE, path) != PASS) return pthread_mutex_unlock(&lock), -1;
    if (allocates && size < stat.st_size) size = stat.st_size;
    int result = (int)syscall(SYS_ftruncate, fd, size);
    if (!result) note('T', stat.st_ino, (uint64_t)size, "", 0);
    done();
    return result;
}
int ftruncate(int fd, off_t size) { return resized(fd, size, 0); }
int ftruncate64(int fd, off64_t size) { return resized(fd, size, 0); }
int posix_fallocate(int fd, off_t at, off_t size) { return resized(fd, at + size, 1) ? errno : 0; }
int posix_fallocate64(int fd, off64_t at, off64_t size) { return posix_fallocate(fd, at, size); }
int fallocate(int fd, int mode, off_t at, off_t size) {
    char path[PATH_MAX];
    struct stat stat;
    if (mode && is_watched_file(fd, path, &stat)) die("a fallocate with a mode is not traced");
    return mode ? (int)syscall(SYS_fallocate, fd, mode, at, size) : resized(fd, at + size, 1);
}
int fallocate64(int fd, int mode, off64_t at, off64_t size) { return fallocate(fd, mode, at, size); }

int renameat2(int at, const char *path, int new_at, const char *new_path, unsigned flags) {
    char both[2 * PATH_MAX], from[PATH_MAX], to[PATH_MAX];
    struct stat stat;
    int is_from = is_watched_at(at, path, from), is_to = is_watched_at(new_at, new_path, to);
    if ((!is_from && !is_to) || lstat(from, &stat))
        return (int)syscall(SYS_renameat2, at, path, new_at, new_path, flags);
    if (!is_from || !is_to || flags) die("only a plain rename within the directory is traced");
    pthread_mutex_lock(&lock);
    if (ordered(WRITE, to) != PASS) return pthread_mutex_unlock(&lock), -1;
    int result = (int)syscall(SYS_renameat2, at, path, new_at, new_path, flags);
    int length = snprintf(both, sizeof both, "%s%c%s", relative(from), 0, relative(to));
    if (!result) note('R', 0, 0, both, (size_t)length);
    done();
    return result;
}
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int at, const char *from, int new_at, const char *to) {
    return renameat2(at, from, new_at, to, 0);
}

int unlinkat(int at, const char *path, int flags) {
    char full[PATH_MAX];
    struct stat stat;
    if (!is_watched_at(at, path, full) || lstat(full, &stat))
        return (int)syscall(SYS_unlinkat, at, path, flags);
    pthread_mutex_lock(&lock);
    if (ordered(WRITE, full) != PASS) return pthread_mutex_unlock(&lock), -1;
    int result = (int)syscall(SYS_unlinkat, at, path, flags);
    if (!result) note_path('U', 0, 0, full);
    int error = errno;
    done();
    errno = error;
    return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int at, const char *path, mode_t mode) {
    char full[PATH_MAX];
    struct stat made;
    if (!is_watched_at(at, path, full) || !stat(full, &made))
        return (int)syscall(SYS_mkdirat, at, path, mode);
    pthread_mutex_lock(&lock);
    if (ordered(WRITE, full) != PASS) return pthread_mutex_unlock(&lock), -1;
    int result = (int)syscall(SYS_mkdirat, at, path, mode), error = errno;
    if (!result && !stat(full, &made)) note_path('D', made.st_ino, 0, full);
    done();
    errno = error;
    return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* A sync, or a call that only looks like one. */
static int synced(int fd, char kind, long call, off64_t at, off64_t size, unsigned flags) {
    char path[PATH_MAX];
    struct stat stat;
    int is_ours = is_watched_file(fd, path, &stat);
    uint64_t began = 0;
    if (is_ours) {
        pthread_mutex_lock(&lock);
        enum order order = ordered(SYNC, path);
        began = trace_end();
        pthread_mutex_unlock(&lock);
        if (order != PASS) return -1;
    }
    int result = (int)syscall(call, fd, at, size, flags), error = errno;
    if (is_ours) {
        pthread_mutex_lock(&lock);
        if (!result) note_path(kind, stat.st_ino, began, path);
        done();
    }
    errno = error;
    return result;
}
int fsync(int fd) { return synced(fd, 'S', SYS_fsync, 0, 0, 0); }
int fdatasync(int fd) { return synced(fd, 'S', SYS_fdatasync, 0, 0, 0); }
int sync_file_range(int fd, off64_t at, off64_t size, unsigned flags) {
    return synced(fd, 'G', SYS_sync_file_range, at, size, flags);
}
