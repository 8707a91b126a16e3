#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAME(ours, theirs) _Static_assert((unsigned)(ours) == (unsigned)(theirs), #theirs)
SAME(CLINUX_EPOLLIN, EPOLLIN);
SAME(CLINUX_EPOLLOUT, EPOLLOUT);
SAME(CLINUX_EPOLLERR, EPOLLERR);
SAME(CLINUX_EPOLLHUP, EPOLLHUP);
SAME(CLINUX_EPOLLRDHUP, EPOLLRDHUP);
SAME(CLINUX_EPOLLONESHOT, EPOLLONESHOT);
SAME(CLINUX_IN_CLOSE_WRITE, IN_CLOSE_WRITE);
SAME(CLINUX_IN_MOVED_FROM, IN_MOVED_FROM);
SAME(CLINUX_IN_MOVED_TO, IN_MOVED_TO);
SAME(CLINUX_IN_CREATE, IN_CREATE);
SAME(CLINUX_IN_DELETE, IN_DELETE);
SAME(CLINUX_IN_DELETE_SELF, IN_DELETE_SELF);
SAME(CLINUX_IN_MOVE_SELF, IN_MOVE_SELF);
SAME(CLINUX_IN_UNMOUNT, IN_UNMOUNT);
SAME(CLINUX_IN_Q_OVERFLOW, IN_Q_OVERFLOW);
SAME(CLINUX_IN_IGNORED, IN_IGNORED);
SAME(CLINUX_IN_ONLYDIR, IN_ONLYDIR);
SAME(CLINUX_IN_EXCL_UNLINK, IN_EXCL_UNLINK);
SAME(CLINUX_IN_ISDIR, IN_ISDIR);

static int above_standard(int *fd) {
  if (*fd > 2) return 0;
  int moved = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
  if (moved < 0) return -1;
  close(*fd);
  *fd = moved;
  return 0;
}

int clinux_pipe(int *read_end, int *write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  if (above_standard(&ends[0]) != 0 || above_standard(&ends[1]) != 0) {
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    errno = error;
    return -1;
  }
  *read_end = ends[0];
  *write_end = ends[1];
  return 0;
}

void clinux_widen_pipe(int fd, int capacity) { (void)fcntl(fd, F_SETPIPE_SZ, capacity); }

int clinux_set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int clinux_spawn(
    pid_t *pid, const char *path, char *const argv[], char *const envp[], const char *directory, int in, int out,
    int err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0) return error;
  error = posix_spawnattr_init(&attributes);
  if (error != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, in, 0);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, out, 1);
  if (!error && err >= 0) error = posix_spawn_file_actions_adddup2(&actions, err, 2);
  if (!error && err == -2) error = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (!error && directory) error = posix_spawn_file_actions_addchdir_np(&actions, directory);
  if (!error) error = posix_spawnattr_setpgroup(&attributes, 0);
  if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
  if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
  if (!error)
    error = posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  if (!error) error = posix_spawn(pid, path, &actions, &attributes, argv, envp);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

int clinux_reap(pid_t pid, int *status, struct clinux_usage *usage) {
  struct rusage kernel_usage;
  pid_t reaped;
  do {
    reaped = wait4(pid, status, WNOHANG, &kernel_usage);
  } while (reaped < 0 && errno == EINTR);
  if (reaped <= 0) return (int)reaped;
  usage->user_microseconds = microseconds(kernel_usage.ru_utime);
  usage->system_microseconds = microseconds(kernel_usage.ru_stime);
  usage->max_resident_bytes = (int64_t)kernel_usage.ru_maxrss * 1024;
  return 1;
}

bool clinux_exited(int status) { return WIFEXITED(status); }
int clinux_exit_code(int status) { return WEXITSTATUS(status); }
bool clinux_signalled(int status) { return WIFSIGNALED(status); }
int clinux_term_signal(int status) { return WTERMSIG(status); }

int clinux_prlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard) {
  struct rlimit limit;
  if (prlimit(pid, resource, NULL, &limit) != 0) return -1;
  if (hard < limit.rlim_max) limit.rlim_max = hard;
  limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
  return prlimit(pid, resource, &limit, NULL);
}

ssize_t clinux_write(int fd, const void *bytes, size_t count) {
  sigset_t broken_pipe, previous, pending;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  sigpending(&pending);
  bool was_pending = sigismember(&pending, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, &previous);
  ssize_t written = write(fd, bytes, count);
  int error = errno;
  if (written < 0 && error == EPIPE && !was_pending) {
    // The signal goes to the writing thread; take it back before it is unblocked.
    struct timespec at_once = {0, 0};
    sigtimedwait(&broken_pipe, NULL, &at_once);
  }
  pthread_sigmask(SIG_SETMASK, &previous, NULL);
  errno = error;
  return written;
}

char *const *clinux_environment(void) { return environ; }

int clinux_close_range(unsigned first, unsigned last) { return (int)syscall(SYS_close_range, first, last, 0); }

int clinux_inotify_open(void) { return inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

uint64_t clinux_filesystem_type(const char *path) {
  struct statfs status;
  // Magic numbers have 32 bits; the field is signed on some architectures.
  return statfs(path, &status) == 0 ? (uint64_t)(uint32_t)status.f_type : 0;
}
