/* A library for LD_PRELOAD that notes how to undo every change to a home folder's database and blobs until the
 * process has asked for it to be synced. A test that kills the process can then do to the files what a power cut
 * would have done: see undo.rs.
 *
 * A note is written before its change is made, so that a kill in between leaves a note too many and never one
 * too few; that something is synced is noted afterwards. The shared memory beside the database needs no notes:
 * SQLite makes it anew when nobody holds it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATH 4096
#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

struct note {
    uint32_t kind, path_len, other_len, reserved;
    uint64_t offset, len, old_size, data_len;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what) {
    fprintf(stderr, "power cut shim: %s: %s\n", what, strerror(errno));
    abort();
}

/* Whether a change of this path is noted: the database, its logs, and everything among the blobs. */
static int matters(const char *path) {
    const char *home = getenv("POWER_CUT_HOME");
    size_t len = home ? strlen(home) : 0;
    if (!len || strncmp(path, home, len) != 0 || path[len] != '/') return 0;
    const char *rest = path + len + 1;
    return !strcmp(rest, "sweepd.db") || !strcmp(rest, "sweepd.db-wal") || !strcmp(rest, "sweepd.db-journal") ||
           !strcmp(rest, "blobs") || !strncmp(rest, "blobs/", 6);
}

static int is_home(const char *path) {
    const char *home = getenv("POWER_CUT_HOME");
    return home && !strcmp(path, home);
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, PATH - 1);
    if (len < 0 || path[0] != '/') return 0;
    path[len] = 0;
    return 1;
}

static void write_note(struct note note, const char *path, const char *other, const void *data) {
    static int out = -1;
    if (out < 0) {
        const char *file = getenv("POWER_CUT_NOTES");
        REAL(open);
        if (!file || (out = real(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0) fail("notes");
    }
    note.path_len = strlen(path);
    note.other_len = other ? strlen(other) : 0;
    struct iovec parts[4] = {{&note, sizeof note},
                             {(void *)path, note.path_len},
                             {(void *)other, note.other_len},
                             {(void *)data, note.data_len}};
    size_t whole = sizeof note + note.path_len + note.other_len + note.data_len;
    if (writev(out, parts, 4) != (ssize_t)whole) fail("writing a note");
}

/* Notes what lies in a range that is about to be overwritten or cut off. */
static void note_content(char kind, int fd, const char *path, uint64_t offset, uint64_t len) {
    struct stat stat;
    if (fstat(fd, &stat)) fail("size");
    struct note note = {.kind = kind, .offset = offset, .len = len, .old_size = stat.st_size};
    uint64_t end = kind == 'T' || offset + len > note.old_size ? note.old_size : offset + len;
    char *data = NULL;
    if (end > offset) {
        char again[64];
        snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
        REAL(open);
        /* The descriptor itself may be for writing only. */
        int in = real(again, O_RDONLY | O_CLOEXEC);
        note.data_len = end - offset;
        data = malloc(note.data_len);
        if (in < 0 || !data || pread(in, data, note.data_len, offset) != (ssize_t)note.data_len) fail("reading");
        close(in);
    }
    write_note(note, path, NULL, data);
    free(data);
}

static ssize_t noted_write(int fd, const void *data, size_t len, off64_t offset) {
    REAL(pwrite64);
    char path[PATH];
    if (!path_of(fd, path) || !matters(path)) return real(fd, data, len, offset);
    pthread_mutex_lock(&lock);
    note_content('W', fd, path, offset, len);
    ssize_t written = real(fd, data, len, offset);
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset) {
    return noted_write(fd, data, len, offset);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
    return noted_write(fd, data, len, offset);
}

ssize_t write(int fd, const void *data, size_t len) {
    REAL(write);
    char path[PATH];
    if (!path_of(fd, path) || !matters(path)) return real(fd, data, len);
    pthread_mutex_lock(&lock);
    int append = fcntl(fd, F_GETFL) & O_APPEND;
    note_content('W', fd, path, lseek(fd, 0, append ? SEEK_END : SEEK_CUR), len);
    ssize_t written = real(fd, data, len);
    pthread_mutex_unlock(&lock);
    return written;
}

static int noted_truncate(int fd, off64_t size) {
    REAL(ftruncate64);
    char path[PATH];
    if (!path_of(fd, path) || !matters(path)) return real(fd, size);
    pthread_mutex_lock(&lock);
    note_content('T', fd, path, size, 0);
    int result = real(fd, size);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate64(int fd, off64_t size) { return noted_truncate(fd, size); }

int ftruncate(int fd, off_t size) { return noted_truncate(fd, size); }

static void note_synced(int fd) {
    char path[PATH];
    struct stat stat;
    if (!path_of(fd, path) || !(matters(path) || is_home(path)) || fstat(fd, &stat)) return;
    write_note((struct note){.kind = S_ISDIR(stat.st_mode) ? 'D' : 'S'}, path, NULL, NULL);
}

int fsync(int fd) {
    REAL(fsync);
    pthread_mutex_lock(&lock);
    int result = real(fd);
    if (!result) note_synced(fd);
    pthread_mutex_unlock(&lock);
    return result;
}

int fdatasync(int fd) {
    REAL(fdatasync);
    pthread_mutex_lock(&lock);
    int result = real(fd);
    if (!result) note_synced(fd);
    pthread_mutex_unlock(&lock);
    return result;
}

static void note_opening(const char *path, int flags) {
    if (!matters(path)) return;
    if (access(path, F_OK)) {
        if (flags & O_CREAT) write_note((struct note){.kind = 'C'}, path, NULL, NULL);
    } else if (flags & O_TRUNC) {
        /* Nothing here does this; to undo it would take another note. */
        errno = EINVAL;
        fail("a file is emptied when it is opened");
    }
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        pthread_mutex_lock(&lock); \
        note_opening(path, flags); \
        int fd = real(path, flags, mode); \
        pthread_mutex_unlock(&lock); \
        return fd; \
    }

OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to) {
    REAL(rename);
    pthread_mutex_lock(&lock);
    if (matters(to)) write_note((struct note){.kind = 'R'}, from, to, NULL);
    int result = real(from, to);
    pthread_mutex_unlock(&lock);
    return result;
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    pthread_mutex_lock(&lock);
    if (matters(path) && access(path, F_OK)) write_note((struct note){.kind = 'M'}, path, NULL, NULL);
    int result = real(path, mode);
    pthread_mutex_unlock(&lock);
    return result;
}

/* A deletion counts as lasting at once: what is deleted here was needed no more before. */
int unlink(const char *path) {
    REAL(unlink);
    pthread_mutex_lock(&lock);
    int result = real(path);
    if (!result && matters(path)) write_note((struct note){.kind = 'U'}, path, NULL, NULL);
    pthread_mutex_unlock(&lock);
    return result;
}
