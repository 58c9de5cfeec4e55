/* The peer over libnanomsg. */
#include "peer.h"

#include <nanomsg/nn.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>
#include <stdlib.h>
#include <string.h>

static int check(const char *doing, int answer) {
  if (answer < 0) fail(doing, nn_strerror(nn_errno()));
  return answer;
}

int peer_open(enum role role, bool raw) {
  static const int protocols[] = {NN_REQ, NN_REP, NN_PUSH, NN_PULL, NN_PAIR};
  const int unlimited = -1, soon = 10;
  int s = check("open", nn_socket(raw ? AF_SP_RAW : AF_SP, protocols[role]));
  check("no limit", nn_setsockopt(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, &unlimited, sizeof unlimited));
  check("reconnect", nn_setsockopt(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, &soon, sizeof soon));
  return s;
}

void peer_listen(int socket, const char *url) {
  check(url, nn_bind(socket, url));
}

void peer_dial(int socket, const char *url) {
  check(url, nn_connect(socket, url));
}

void peer_send(int socket, const void *octets, size_t n) {
  check("send", nn_send(socket, octets, n, 0));
}

void *peer_receive(int socket, size_t *n) {
  void *message = NULL;
  *n = (size_t)check("receive", nn_recv(socket, &message, NN_MSG, 0));
  void *octets = malloc(*n + 1);
  if (octets == NULL) fail("receive", "out of memory");
  memcpy(octets, message, *n);
  nn_freemsg(message);
  return octets;
}

void peer_device(int front, int back) {
  check("device", nn_device(front, back));
}
