/* Does everything that is special about processes on Linux, and writes down what it did: the truth that a capture is
 * compared with. Each line of FILE is one statement of somebody who knows, in one write(2):
 *
 *   born TID PID CREATOR_TID PPID    said by the new task itself, or by its creator where it sees other ids; PPID 0: a thread
 *   exec PID HEX                     will call exec, and the program is called so; * where that is not known
 *   failed PID                       exec has failed
 *   ended PID CODE SIGNAL            said by who waited, or by who is about to exit and is waited for by nobody
 *   parent PID PPID                  who its parent is now
 *   name TID HEX                     has been renamed to
 *   uid PID UID                      is another user now
 *
 * usage: special-cases FILE, as root; special-cases --noop ends at once
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int out;
static const char *self;
static char folder[4000];

static void say(const char *form, ...) {
  char line[512];
  va_list args;
  va_start(args, form);
  int length = vsnprintf(line, sizeof line, form, args);
  va_end(args);
  if (write(out, line, length) != length) abort();
}

static void born_of(int creator) { say("born %d %d %d %d\n", gettid(), getpid(), creator, getppid()); }
static void nap(int ms) { usleep(ms * 1000); }

/* glibc knows nothing of it: for children that share a parent. */
static int clone_as(unsigned long flags) { return syscall(SYS_clone, flags, 0, 0, 0, 0); }

static int child(void) {
  int creator = gettid();
  int pid = fork();
  if (pid == 0) born_of(creator);
  return pid;
}

static void ended(int pid, int status) {
  say("ended %d %d %d\n", pid, WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void reap(int pid) {
  int status;
  if (waitpid(pid, &status, 0) == pid) ended(pid, status);
}

static void reap_all(void) {
  int status, pid;
  while ((pid = wait(&status)) > 0) ended(pid, status);
}

static const char *base(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

/* @return the bytes of a name, at most 16 of them, as hexadecimal digits */
static const char *hex_of(const char *name) {
  static char hex[33];
  hex[0] = 0;
  for (unsigned i = 0; name[i] && i < 16; i++) sprintf(hex + 2 * i, "%02x", (unsigned char)name[i]);
  return hex;
}

static void run(const char *path, const char *argument) {
  say("exec %d %s\n", getpid(), hex_of(base(path)));
  execl(path, base(path), argument, (char *)0);
  say("failed %d\n", getpid());
  _exit(127);
}

static void copy(const char *from, const char *to) {
  char bytes[65536];
  int in = open(from, O_RDONLY), to_fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  for (int n; (n = read(in, bytes, sizeof bytes)) > 0;)
    if (write(to_fd, bytes, n) != n) abort();
  close(in);
  close(to_fd);
}

static void pipeline(void) {
  for (int i = 0; i < 3; i++)
    if (child() == 0) run("/bin/true", "x");
}

/* What a shell does for $(echo word). */
static void substitution(void) {
  int ends[2];
  char word[16];
  if (pipe(ends) != 0) abort();
  int pid = child();
  if (pid == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    run("/bin/echo", "word");
  }
  close(ends[1]);
  while (read(ends[0], word, sizeof word) > 0) continue;
  reap(pid);
}

struct thread_job {
  int creator;
  void (*work)(void);
};

static void *in_thread(void *argument) {
  struct thread_job *job = argument;
  say("born %d %d %d 0\n", gettid(), getpid(), job->creator);
  job->work();
  return 0;
}

static pthread_t thread(struct thread_job *job, void (*work)(void)) {
  pthread_t made;
  job->creator = gettid();
  job->work = work;
  pthread_create(&made, 0, in_thread, job);
  return made;
}

static void idle(void) { nap(20); }
static void fork_and_wait(void) {
  int pid = child();
  if (pid == 0) _exit(7);
  reap(pid);
}
static void exec_self(void) { run(self, "--noop"); }
static void end_late(void) {
  nap(30);
  syscall(SYS_exit_group, 9);
}
static void end_all(void) { syscall(SYS_exit_group, 42); }

static void threads(void) {
  struct thread_job jobs[3];
  pthread_t all[] = {thread(&jobs[0], idle), thread(&jobs[1], fork_and_wait), thread(&jobs[2], idle)};
  for (int i = 0; i < 3; i++) pthread_join(all[i], 0);
}

static void exec_from_thread(void) {
  struct thread_job jobs[2];
  thread(&jobs[0], idle);
  nap(5);
  thread(&jobs[1], exec_self);
  nap(1000);
}

static void leader_first(void) {
  static struct thread_job job;
  thread(&job, end_late);
  nap(5);
  syscall(SYS_exit, 5);
}

static void exit_from_thread(void) {
  struct thread_job job;
  thread(&job, end_all);
  nap(1000);
}

static void other_user(void) {
  if (setresuid(65534, 65534, 65534) != 0) abort();
  say("uid %d 65534\n", getpid());
  run("/bin/true", "as nobody");
}

/* Nobody waits for it: it says itself how it ends. */
static void left_alone(int code) {
  nap(60);
  say("parent %d %d\n", getpid(), getppid());
  say("ended %d %d 0\n", getpid(), code);
  _exit(code);
}

static void daemon_twice(void) {
  int between = child();
  if (between == 0) {
    setsid();
    if (child() == 0) left_alone(3);
    nap(10);
    _exit(0);
  }
  reap(between);
}

static void subreaper(void) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  int between = child();
  if (between == 0) {
    if (child() == 0) {
      nap(40);
      say("parent %d %d\n", getpid(), getppid());
      _exit(8);
    }
    nap(10);
    _exit(0);
  }
  reap_all();
}

static void sibling(void) {
  int creator = gettid();
  if (clone_as(CLONE_PARENT | SIGCHLD) == 0) {
    born_of(creator);
    nap(20);
    _exit(11);
  }
  nap(5);
}

static void vforked(void) {
  int creator = gettid();
  int pid = vfork();
  if (pid == 0) {
    born_of(creator);
    run("/bin/true", "after vfork");
  }
  reap(pid);
}

static void no_program(void) { run("/nonexistent/program", "x"); }

static void memory_file(void) {
  int file = memfd_create("in memory", MFD_CLOEXEC), in = open("/bin/true", O_RDONLY);
  char bytes[65536];
  for (int n; (n = read(in, bytes, sizeof bytes)) > 0;)
    if (write(file, bytes, n) != n) abort();
  char *args[] = {"from memory", 0};
  say("exec %d *\n", getpid()); /* how the kernel calls it differs between versions */
  fexecve(file, args, environ);
  abort();
}

static void names(void) {
  const char *all[] = {"a b", "a\nb", "](x) [y", "pid=7 x=y", "", "\x1b[31mred", "\xff\xfe", "fifteen letters"};
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    prctl(PR_SET_NAME, all[i]);
    say("name %d %s\n", gettid(), hex_of(all[i]));
    nap(1);
  }
}

/* In there it is 1, and says nothing: its creator knows the id that counts outside. */
static void namespace(void) {
  if (unshare(CLONE_NEWPID) != 0) return;
  int hold[2];
  if (pipe(hold) != 0) abort();
  int pid = fork();
  if (pid == 0) {
    char go;
    if (read(hold[0], &go, 1) != 1) abort();
    _exit(6);
  }
  say("born %d %d %d %d\n", pid, pid, gettid(), getpid());
  if (write(hold[1], "g", 1) != 1) abort();
  reap(pid);
}

static void script(void) {
  char path[4200];
  snprintf(path, sizeof path, "%s/a script.sh", folder);
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  if (write(file, "#!/bin/sh\nexit 4\n", 17) != 17) abort();
  close(file);
  run(path, "x");
}

static void killed(void) { raise(SIGKILL); }
static void terminated(void) { raise(SIGTERM); }
static void crashed(void) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  raise(SIGSEGV);
}

static void orphan(void) {
  if (child() == 0) left_alone(2);
  nap(5);
  _exit(0);
}

static void deleted(void) {
  char path[4200];
  snprintf(path, sizeof path, "%s/soon gone pid=1 old_pid=2", folder);
  copy("/bin/sleep", path);
  int pid = child();
  if (pid == 0) run(path, "0.05");
  nap(20);
  unlink(path);
  reap(pid);
}

static void odd_files(void) {
  const char *all[] = {"two\nlines", "h\xc3\xbcllen", "\xe2\x80\xaerlo"};
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, all[i]);
    copy("/bin/true", path);
    int pid = child();
    if (pid == 0) run(path, "x");
    reap(pid);
  }
}

/* Not of processes: nothing of it may be taken for one. */
static void loopback(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(server, (void *)&address, length) != 0 || listen(server, 1) != 0) abort();
  getsockname(server, (void *)&address, &length);
  int pid = child();
  if (pid == 0) {
    int client = socket(AF_INET, SOCK_STREAM, 0);
    _exit(connect(client, (void *)&address, length) == 0 && write(client, "x", 1) == 1 ? 13 : 1);
  }
  char byte;
  int peer = accept(server, 0, 0);
  if (read(peer, &byte, 1) != 1) abort();
  reap(pid);
}

static void protect(void) {
  char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  page[0] = 1;
  if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) abort();
}

int main(int count, char **args) {
  if (count > 1 && strcmp(args[1], "--noop") == 0) return 0;
  self = "/proc/self/exe";
  static char own[4096];
  ssize_t length = readlink(self, own, sizeof own - 1);
  if (count < 2 || length < 0) return 2;
  self = own;
  out = open(args[1], O_WRONLY | O_CREAT | O_APPEND, 0600);
  snprintf(folder, sizeof folder, "%s", args[1]);
  *strrchr(folder, '/') = 0;
  void (*cases[])(void) = {pipeline,   threads,   exec_from_thread, leader_first, exit_from_thread, other_user, daemon_twice,
                           subreaper,  sibling,   vforked,          no_program,   memory_file,      names,      namespace,
                           script,     killed,    terminated,       crashed,      orphan,           deleted,    substitution,
                           odd_files,  loopback,  protect};
  say("root %d\n", getpid());
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (child() == 0) {
      cases[i]();
      reap_all();
      syscall(SYS_exit_group, 0);
    }
    reap_all();
  }
  nap(100); /* for those whom nobody waits for */
  return 0;
}
