// What Swift's Glibc module lacks: it is compiled without _GNU_SOURCE and imports no function-like macros.
// Functions return 0 or a descriptor on success and -1 with errno set on failure, unless said otherwise.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The parts of struct rusage that callers use.
struct clinux_usage {
  int64_t user_microseconds;
  int64_t system_microseconds;
  int64_t max_resident_bytes;
};

/// pipe2 with O_CLOEXEC; both ends are numbered 3 or higher, so that they never collide with a child's 0, 1, 2.
int clinux_pipe(int *read_end, int *write_end);

/// Asks for a pipe of `capacity` bytes; a smaller one stays when the system's limits are in the way.
void clinux_widen_pipe(int fd, int capacity);

/// Adds O_NONBLOCK to a descriptor's flags.
int clinux_set_nonblocking(int fd);

/// A resource limit of a child (`RLIMIT_…`); values above the hard limit in force are lowered to that. `soft` <= `hard`.
struct clinux_limit {
  int resource;
  uint64_t soft, hard;
};

/// Starts `path` in a process group of its own with default signal actions, an empty signal mask, `limits` and no
/// descriptors but 0, 1, 2. `in` and `out` become 0 and 1; `err` becomes 2, or with -1 the caller's is inherited,
/// or with -2 is /dev/null. `directory` may be NULL. Returns 0 or an errno value.
int clinux_spawn(
    pid_t *pid, const char *path, char *const argv[], char *const envp[], const char *directory, int in, int out,
    int err, const struct clinux_limit *limits, size_t limit_count);

/// A descriptor that becomes readable when the process ends.
int clinux_pidfd_open(pid_t pid);

/// Reaps `pid` without waiting. Returns 1 when reaped, 0 when it still runs, -1 on failure.
int clinux_reap(pid_t pid, int *status, struct clinux_usage *usage);

bool clinux_exited(int status);
int clinux_exit_code(int status);
bool clinux_signalled(int status);
int clinux_term_signal(int status);

/// write(2) that fails with EPIPE and never raises SIGPIPE, whatever the process's setting.
ssize_t clinux_write(int fd, const void *bytes, size_t count);

/// The process's environment, as in environ(7).
char *const *clinux_environment(void);

/// close_range(2): closes every descriptor from `first` to `last`, both included.
int clinux_close_range(unsigned first, unsigned last);

/// epoll(7) event bits that import awkwardly.
enum clinux_epoll_bits {
  CLINUX_EPOLLIN = 0x001,
  CLINUX_EPOLLOUT = 0x004,
  CLINUX_EPOLLERR = 0x008,
  CLINUX_EPOLLHUP = 0x010,
  CLINUX_EPOLLRDHUP = 0x2000,
  CLINUX_EPOLLONESHOT = 0x40000000,
};

/// inotify(7) event bits.
enum clinux_inotify_bits {
  CLINUX_IN_CLOSE_WRITE = 0x00000008,
  CLINUX_IN_MOVED_FROM = 0x00000040,
  CLINUX_IN_MOVED_TO = 0x00000080,
  CLINUX_IN_CREATE = 0x00000100,
  CLINUX_IN_DELETE = 0x00000200,
  CLINUX_IN_DELETE_SELF = 0x00000400,
  CLINUX_IN_MOVE_SELF = 0x00000800,
  CLINUX_IN_UNMOUNT = 0x00002000,
  CLINUX_IN_Q_OVERFLOW = 0x00004000,
  CLINUX_IN_IGNORED = 0x00008000,
  CLINUX_IN_ONLYDIR = 0x01000000,
  CLINUX_IN_EXCL_UNLINK = 0x04000000,
  CLINUX_IN_ISDIR = 0x40000000,
};

/// An inotify(7) instance: non-blocking, closed on exec.
int clinux_inotify_open(void);

/// The type of the file system that holds `path`, as statfs(2) numbers it; 0 when it cannot be told.
uint64_t clinux_filesystem_type(const char *path);
