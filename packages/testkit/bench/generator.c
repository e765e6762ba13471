// Makes births, programs and threads as fast as this machine can, for
// bench:capture. Node itself is too slow for that.
//
//   generator fork|exec|thread SECONDS    on every CPU; then prints how many there were
//   generator lives COUNT MS TAG          COUNT programs that live MS milliseconds after their exec,
//                                         each with arguments of its own: lives MS TAG-NUMBER
//
// It is its own program to run: `generator quick` ends at once, `generator live
// MS TAG` after MS milliseconds.

#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

static void pause_ms(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) {
  }
}

static void *nothing(void *unused) { return unused; }

static int once(const char *what, char **program) {
  if (strcmp(what, "thread") == 0) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0) return 0;
    pthread_join(thread, NULL);
    return 1;
  }
  pid_t pid = strcmp(what, "exec") == 0 ? vfork() : fork();
  if (pid < 0) return 0;
  if (pid == 0) {
    if (strcmp(what, "exec") == 0) execv(program[0], program);
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  return 1;
}

static int storm(const char *what, double seconds, char *self) {
  char *program[] = {self, "quick", NULL};
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  int counts[2];
  if (pipe(counts) != 0) return 1;
  for (long cpu = 0; cpu < cpus; cpu++) {
    if (fork() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    long done = 0;
    for (double end = now() + seconds; now() < end;) done += once(what, program);
    _exit(write(counts[1], &done, sizeof done) != sizeof done);
  }
  long sum = 0, done;
  for (long cpu = 0; cpu < cpus; cpu++) {
    if (read(counts[0], &done, sizeof done) == sizeof done) sum += done;
  }
  while (wait(NULL) > 0) {
  }
  printf("%ld\n", sum);
  return 0;
}

static int lives(int count, char *ms, const char *tag, char *self) {
  for (int i = 0; i < count; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s-%d", tag, i);
    char *program[] = {self, "live", ms, name, NULL};
    if (vfork() == 0) {
      execv(self, program);
      _exit(127);
    }
    wait(NULL);
    pause_ms(7 + i % 20); // so that they fall anywhere between two polls
  }
  return 0;
}

int main(int count, char **arguments) {
  if (count == 2 && strcmp(arguments[1], "quick") == 0) _exit(0);
  if (count == 4 && strcmp(arguments[1], "live") == 0) {
    if (atol(arguments[2]) > 0) pause_ms(atol(arguments[2]));
    _exit(0);
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (count == 3) return storm(arguments[1], atof(arguments[2]), "/proc/self/exe");
  if (count == 5 && strcmp(arguments[1], "lives") == 0) {
    return lives(atoi(arguments[2]), arguments[3], arguments[4], "/proc/self/exe");
  }
  return 2;
}
