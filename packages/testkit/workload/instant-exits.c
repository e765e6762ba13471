/* Starts programs that end at once, with arguments of every kind, and writes down what it did: the truth that a capture
 * is compared with. The program that it starts is itself, which then does nothing but end as its first argument says.
 *
 * usage: instant-exits SEED COUNT FILE PROGRAMS FOLDERS PROGRAM... FOLDER...
 *        instant-exits =CODE ANYTHING...    ends with this code
 *        instant-exits !SIGNAL ANYTHING...  ends by this signal
 *
 * FILE is binary, little-endian, one record for each program, in the order in which they were waited for:
 *
 *   u32 pid, ppid, status as of wait(2), length of the arguments; u16 number of the program, of the folder; arguments
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 4
#define MAX_ARGUMENTS 10
#define MAX_BYTES 16384

struct record {
  uint32_t pid, ppid, status, length;
  uint16_t program, folder;
};

static uint32_t state;

static uint32_t below(uint32_t n) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % n;
}

/* Writes one argument without its NUL. @returns its bytes */
static int argument(char *to) {
  static const char *const odd[] = {
      "", " ", "two words", "a line\nand another", "\t\n ", "--flag=", "'\"$(x)`", "na\xc3\xafve \xe2\x82\xac", "\xff\xfe", "cut \xe2\x82",
      "\xc3", "\xed\xa0\x80", "\xf0\x9f\x98\x80", "\x01\x7f\x1b[31m", "%s%n", "*",
  };
  int kind = below(100);
  if (kind < 50) return stpcpy(to, odd[below(sizeof odd / sizeof *odd)]) - to;
  if (kind < 80) return sprintf(to, "number-%u", below(1000000));
  int length = kind < 99 ? 250 : 5000 + below(3000); /* more than a record holds */
  for (int i = 0; i < length; i++) to[i] = 'a' + below(26);
  return length;
}

static void work(int count, int out, char **programs, int program_count, char **folders, int folder_count) {
  static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGABRT, SIGUSR1};
  static char bytes[sizeof(struct record) + MAX_BYTES];
  for (int i = 0; i < count; i++) {
    struct record *record = (void *)bytes;
    char *const first = bytes + sizeof *record, *at = first;
    char *arguments[MAX_ARGUMENTS + 1];
    int n = 0;
    arguments[n++] = at;
    at = stpcpy(at, below(4) == 0 ? "" : "a name\xff of its own") + 1;
    arguments[n++] = at;
    at += (below(8) == 0 ? sprintf(at, "!%d", signals[below(5)]) : sprintf(at, "=%u", below(256))) + 1;
    for (int more = below(MAX_ARGUMENTS - 1); more > 0 && at - first < 7000; more--) {
      arguments[n++] = at;
      at += argument(at);
      *at++ = 0;
    }
    arguments[n] = NULL;
    record->program = below(program_count);
    record->folder = below(folder_count);
    if (chdir(folders[record->folder]) != 0) abort();
    char *none[] = {NULL};
    int pid = vfork();
    if (pid < 0) abort();
    if (pid == 0) {
      execve(programs[record->program], arguments, none);
      _exit(255);
    }
    int status;
    if (waitpid(pid, &status, 0) != pid) abort();
    record->pid = pid;
    record->ppid = getpid();
    record->status = status & ~0x80; /* whether memory was dumped depends on the machine */
    record->length = at - first;
    if (write(out, bytes, at - bytes) != at - bytes) abort();
  }
}

int main(int argc, char **argv) {
  if (argc > 1 && argv[1][0] == '=') _exit(atoi(argv[1] + 1));
  if (argc > 1 && argv[1][0] == '!') {
    kill(getpid(), atoi(argv[1] + 1));
    _exit(254);
  }
  if (argc < 6) return 2;
  int count = atoi(argv[2]), program_count = atoi(argv[4]), folder_count = atoi(argv[5]);
  if (argc != 6 + program_count + folder_count) return 2;
  char **programs = argv + 6, **folders = programs + program_count;
  struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  int out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0) return 1;
  for (int i = 0; i < WORKERS; i++) {
    if (fork() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    state = atoi(argv[1]) + 7919 * (i + 1);
    work(count / WORKERS, out, programs, program_count, folders, folder_count);
    _exit(0);
  }
  int failed = 0, status;
  while (wait(&status) > 0) failed |= status != 0;
  return failed;
}
