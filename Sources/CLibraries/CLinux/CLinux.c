#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

/// What the child needs between `vfork` and `execve`. It shares the parent's memory there, so `error` reaches it.
struct launch {
  const char *path;
  char *const *argv;
  char *const *envp;
  const char *directory;
  int in, out, err;
  const struct clinux_limit *limits;
  size_t limit_count;
  volatile int error;
};

/// Lowers one limit of this process; what is above the hard limit becomes that.
static int lower(const struct clinux_limit *wanted) {
  struct rlimit limit;
  if (getrlimit(wanted->resource, &limit) != 0) return -1;
  if (wanted->hard < limit.rlim_max) limit.rlim_max = wanted->hard;
  limit.rlim_cur = wanted->soft < limit.rlim_max ? wanted->soft : limit.rlim_max;
  return setrlimit(wanted->resource, &limit);
}

/// The child's way to its program: system calls only, since it runs on the parent's stack and memory.
static int prepare(const struct launch *launch) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  // The two that glibc keeps to itself, SIGKILL and SIGSTOP refuse; none of them can be ignored.
  for (int number = 1; number < NSIG; number++) (void)sigaction(number, &action, NULL);
  if (setpgid(0, 0) != 0) return -1;
  if (dup2(launch->in, 0) < 0 || dup2(launch->out, 1) < 0) return -1;
  if (launch->err >= 0 && dup2(launch->err, 2) < 0) return -1;
  if (launch->err == -2) {
    int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, 2) < 0) return -1;
  }
  closefrom(3);
  if (launch->directory && chdir(launch->directory) != 0) return -1;
  for (size_t index = 0; index < launch->limit_count; index++)
    if (lower(&launch->limits[index]) != 0) return -1;
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noinline, noreturn)) static void become(struct launch *launch) {
  if (prepare(launch) == 0) execve(launch->path, launch->argv, launch->envp);
  launch->error = errno;
  _exit(127);
}

// posix_spawn knows no resource limits, and limits that the parent sets afterwards come too late: the child may
// have children of its own by then, which run without any.
int clinux_spawn(
    pid_t *pid, const char *path, char *const argv[], char *const envp[], const char *directory, int in, int out,
    int err, const struct clinux_limit *limits, size_t limit_count) {
  struct launch launch = {path, argv, envp, directory, in, out, err, limits, limit_count, 0};
  sigset_t all, before;
  sigfillset(&all);
  // No handler of this process may run in the child, on this process's memory.
  int error = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (error != 0) return error;
  pid_t child = vfork();
  if (child == 0) become(&launch);
  error = child < 0 ? errno : launch.error;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error != 0 && child > 0) {
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
  }
  *pid = child;
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
