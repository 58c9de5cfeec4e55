/*
 * A process of a contest, as peer.ts says: PROGRAM PART URL SIZE, or PART+PART for both sides in one
 * process. A library's file gives the functions below and then includes nothing more: main is here.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  const unsigned char *data;
  size_t size;
  /* Of the library's. */
  void *own, *way;
} message;

/* A socket for this part, bound or connected. */
static void *mount(const char *part, const char *url);
static void put(void *socket, const unsigned char *body, size_t n);
static message take(void *socket);
/* Sends back what was taken. */
static void give(void *socket, message m);
static void drop(message m);

#define WINDOW 64

typedef struct {
  const char *part;
  void *socket;
  unsigned char *body;
  size_t size;
  long n;
  /* Nanoseconds an operation, or 0 if timing is the other side's task. */
  double taken;
} side;

static void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int order(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void check_drop(side *s) {
  message m = take(s->socket);
  if (m.size != s->size || m.data[0] != 0x6f || m.data[m.size - 1] != 0x6f)
    die("received", "octets that were not sent");
  drop(m);
}

static void *run(void *given) {
  side *s = given;
  long n = s->n;
  s->taken = 0;
  if (strcmp(s->part, "push") == 0) {
    for (long i = 0; i < n; i++) put(s->socket, s->body, s->size);
  } else if (strcmp(s->part, "pull") == 0) {
    check_drop(s);
    double start = now();
    for (long i = 1; i < n; i++) check_drop(s);
    s->taken = (now() - start) / (n - 1);
  } else if (strcmp(s->part, "rep") == 0 || strcmp(s->part, "router") == 0) {
    for (long i = 0; i < n; i++) give(s->socket, take(s->socket));
  } else if (strcmp(s->part, "req") == 0) {
    double *each = malloc(n * sizeof *each);
    for (long i = 0; i < n; i++) {
      double start = now();
      put(s->socket, s->body, s->size);
      check_drop(s);
      each[i] = now() - start;
    }
    qsort(each, n, sizeof *each, order);
    s->taken = each[n / 2];
    free(each);
  } else if (strcmp(s->part, "dealer") == 0) {
    double start = now();
    long sent = 0;
    while (sent < n && sent < WINDOW) put(s->socket, s->body, s->size), sent++;
    for (long i = 0; i < n; i++) {
      check_drop(s);
      if (sent < n) put(s->socket, s->body, s->size), sent++;
    }
    s->taken = (now() - start) / n;
  } else {
    die(s->part, "no such part");
  }
  return NULL;
}

int main(int count, char **args) {
  if (count != 4) die(args[0], "PART URL SIZE");
  side sides[2];
  int made = 0;
  for (char *part = strtok(args[1], "+"); part != NULL && made < 2; part = strtok(NULL, "+")) {
    side *s = &sides[made++];
    s->part = part;
    s->size = atol(args[3]);
    s->body = malloc(s->size);
    memset(s->body, 0x6f, s->size);
    s->socket = mount(part, args[2]);
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("ready");
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    long n;
    if (sscanf(line, "run %ld", &n) == 1) {
      puts("armed");
      pthread_t other;
      for (int i = 0; i < made; i++) sides[i].n = n;
      if (made == 2) pthread_create(&other, NULL, run, &sides[1]);
      /* Nobody may be there any more to end it, if the other side is gone. */
      alarm(60);
      run(&sides[0]);
      double taken = sides[0].taken;
      if (made == 2) {
        pthread_join(other, NULL);
        if (sides[1].taken > taken) taken = sides[1].taken;
      }
      alarm(0);
      printf("done %.1f\n", taken);
    } else {
      struct rusage u;
      getrusage(RUSAGE_SELF, &u);
      double s = u.ru_utime.tv_sec + u.ru_stime.tv_sec;
      printf("cpu %.0f\n", s * 1e9 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3);
    }
  }
  _exit(0);
}
