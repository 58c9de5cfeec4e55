/*
 * A peer for tests, the same over every library:
 *
 *   peer ROLE listen|dial URL [FILE ...]        see `roles`
 *   peer text ROLE listen|dial URL [FILE ...]   sends as text, over WebSocket
 *   peer device ROLE listen|dial URL listen|dial URL
 *
 * REQ, PUSH, PAIR0 and PAIR1 send each file as a message, and stay, so that nothing sent can get lost.
 * PUB, SURVEYOR and BUS, whom others may miss, send them again and again. REP and RESPONDENT answer with
 * them in turn. Whatever comes is written to the output as MessagePack: text as its str, all else as its
 * bin. A device's ROLE is its front's.
 */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct body {
  unsigned char *octets;
  size_t n;
};

/* Milliseconds between messages that are sent again, and for a response before the next survey. */
enum { PAUSE = 50, PATIENCE = 1000 };

static const char *const roles[] = {"req", "rep",      "push",       "pull", "pair0", "pub",
                                    "sub", "surveyor", "respondent", "bus",  "pair1"};
/* Who stands behind a device whose front has that role. */
static const enum role backs[] = {REP, REQ,        PULL,     PUSH, PAIR0, SUB,
                                  PUB, RESPONDENT, SURVEYOR, BUS,  PAIR1};

_Noreturn void fail(const char *doing, const char *why) {
  fprintf(stderr, "%s: %s\n", doing, why);
  exit(1);
}

static enum role role_of(const char *name) {
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
    if (strcmp(name, roles[i]) == 0) return (enum role)i;
  fail(name, "is no role");
}

static void join(int socket, const char *side, const char *url) {
  if (strcmp(side, "listen") == 0)
    peer_listen(socket, url);
  else
    peer_dial(socket, url);
}

static struct body load(const char *path) {
  struct body body = {NULL, 0};
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path, "cannot be read");
  fseek(file, 0, SEEK_END);
  body.n = (size_t)ftell(file);
  rewind(file);
  body.octets = malloc(body.n + 1);
  if (body.octets == NULL || fread(body.octets, 1, body.n, file) != body.n)
    fail(path, "cannot be read whole");
  fclose(file);
  return body;
}

/* Whether something came in time. */
static bool print(int socket, int milliseconds) {
  size_t n;
  bool text;
  void *octets = peer_receive(socket, milliseconds, &n, &text);
  if (octets == NULL) return false;
  const unsigned char head[] = {text ? 0xdb : 0xc6, n >> 24 & 0xff, n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff};
  fwrite(head, 1, sizeof head, stdout);
  fwrite(octets, 1, n, stdout);
  fflush(stdout);
  free(octets);
  return true;
}

static _Noreturn void answer(int socket, const struct body *bodies, int n) {
  for (int i = 0;; i = (i + 1) % n) {
    print(socket, -1);
    peer_send(socket, bodies[i].octets, bodies[i].n);
  }
}

/* The next survey ends the one before: so who gets no response waits longer for the next. */
static _Noreturn void repeat(int socket, enum role role, const struct body *bodies, int n) {
  int patience = role == SURVEYOR ? PATIENCE : PAUSE;
  peer_meet(socket);
  for (int i = 0;; i = (i + 1) % n) {
    peer_send(socket, bodies[i].octets, bodies[i].n);
    if (role != PUB && !print(socket, patience) && role == SURVEYOR) patience *= 2;
    if (role == PUB || i + 1 == n) usleep(PAUSE * 1000);
  }
}

int main(int count, char **args) {
  if (count == 7 && strcmp(args[1], "device") == 0) {
    enum role front = role_of(args[2]);
    int a = peer_open(front, true), b = peer_open(backs[front], true);
    join(a, args[3], args[4]);
    join(b, args[5], args[6]);
    peer_device(a, b);
    return 1;
  }
  bool text = count > 1 && strcmp(args[1], "text") == 0;
  if (text) count--, args++;
  if (count < 4) fail("usage", "peer ROLE listen|dial URL [FILE ...]");
  enum role role = role_of(args[1]);
  int socket = peer_open(role, false);
  if (text) peer_text(socket);
  int n = count - 4;
  struct body *bodies = calloc((size_t)n + 1, sizeof *bodies);
  for (int i = 0; i < n; i++) bodies[i] = load(args[4 + i]);
  join(socket, args[2], args[3]);

  bool answers = role == REP || role == RESPONDENT;
  bool repeats = role == PUB || role == SURVEYOR || role == BUS;
  if ((answers || repeats) && n == 0) fail(args[1], "needs a file");
  if (answers) answer(socket, bodies, n);
  if (repeats) repeat(socket, role, bodies, n);
  for (int i = 0; i < n; i++) {
    peer_send(socket, bodies[i].octets, bodies[i].n);
    if (role == REQ) print(socket, -1);
  }
  if (role != REQ && role != PUSH)
    for (;;) print(socket, -1);
  for (;;) pause();
}
