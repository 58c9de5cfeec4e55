/*
 * A peer for tests, the same over every library:
 *
 *   peer ROLE listen|dial URL [FILE ...]        rep, req, push, pull or pair0
 *   peer device ROLE listen|dial URL listen|dial URL
 *
 * REQ, PUSH and PAIR0 send each file as a message; REP answers with them in turn. Whatever comes is
 * written to the output as MessagePack binary. Then it stays, so that nothing sent can get lost.
 * A device's ROLE is its front's.
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

static const char *const roles[] = {"req", "rep", "push", "pull", "pair0"};
/* Who stands behind a device whose front has that role. */
static const enum role backs[] = {REP, REQ, PULL, PUSH, PAIR0};

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

static void print(int socket) {
  size_t n;
  void *octets = peer_receive(socket, &n);
  const unsigned char head[] = {0xc6, n >> 24 & 0xff, n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff};
  fwrite(head, 1, sizeof head, stdout);
  fwrite(octets, 1, n, stdout);
  fflush(stdout);
  free(octets);
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
  if (count < 4) fail("usage", "peer ROLE listen|dial URL [FILE ...]");
  enum role role = role_of(args[1]);
  int socket = peer_open(role, false);
  int n = count - 4;
  struct body *bodies = calloc((size_t)n + 1, sizeof *bodies);
  for (int i = 0; i < n; i++) bodies[i] = load(args[4 + i]);
  join(socket, args[2], args[3]);

  if (role == REP) {
    if (n == 0) fail("rep", "needs a file to answer with");
    for (int i = 0;; i = (i + 1) % n) {
      print(socket);
      peer_send(socket, bodies[i].octets, bodies[i].n);
    }
  }
  for (int i = 0; i < n; i++) {
    peer_send(socket, bodies[i].octets, bodies[i].n);
    if (role == REQ) print(socket);
  }
  if (role == PULL || role == PAIR0)
    for (;;) print(socket);
  for (;;) pause();
}
