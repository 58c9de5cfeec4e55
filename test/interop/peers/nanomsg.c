/* The peer over libnanomsg. */
#include "peer.h"

#include <errno.h>
#include <nanomsg/bus.h>
#include <nanomsg/nn.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>
#include <nanomsg/ws.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int check(const char *doing, int answer) {
  if (answer < 0) fail(doing, nn_strerror(nn_errno()));
  return answer;
}

int peer_open(enum role role, bool raw) {
  static const int protocols[] = {
      [REQ] = NN_REQ,           [REP] = NN_REP,
      [PUSH] = NN_PUSH,         [PULL] = NN_PULL,
      [PAIR0] = NN_PAIR,        [PUB] = NN_PUB,
      [SUB] = NN_SUB,           [SURVEYOR] = NN_SURVEYOR,
      [RESPONDENT] = NN_RESPONDENT, [BUS] = NN_BUS,
  };
  if (role == PAIR1) fail("pair1", "nanomsg has none");
  const int unlimited = -1, soon = 10, later = 600000;
  int s = check("open", nn_socket(raw ? AF_SP_RAW : AF_SP, protocols[role]));
  check("no limit", nn_setsockopt(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, &unlimited, sizeof unlimited));
  check("reconnect", nn_setsockopt(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, &soon, sizeof soon));
  /* Its raw subscriber filters too. */
  if (role == SUB) check("subscribe", nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
  if (role == SURVEYOR && !raw)
    check("survey time",
          nn_setsockopt(s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, &later, sizeof later));
  return s;
}

void peer_listen(int socket, const char *url) {
  check(url, nn_bind(socket, url));
}

void peer_dial(int socket, const char *url) {
  check(url, nn_connect(socket, url));
}

void peer_meet(int socket) {
  while (nn_get_statistic(socket, NN_STAT_CURRENT_CONNECTIONS) == 0) usleep(1000);
}

void peer_send(int socket, const void *octets, size_t n) {
  check("send", nn_send(socket, octets, n, 0));
}

void peer_text(int socket) {
  const int text = NN_WS_MSG_TYPE_TEXT;
  check("text", nn_setsockopt(socket, NN_WS, NN_WS_MSG_TYPE, &text, sizeof text));
}

/* Whether it says of the message beside it that it came as text. */
static bool is_text(struct nn_msghdr *message) {
  for (struct nn_cmsghdr *c = NN_CMSG_FIRSTHDR(message); c != NULL; c = NN_CMSG_NXTHDR(message, c))
    if (c->cmsg_level == NN_WS && c->cmsg_type == NN_WS_MSG_TYPE)
      return *NN_CMSG_DATA(c) == NN_WS_MSG_TYPE_TEXT;
  return false;
}

void *peer_receive(int socket, int milliseconds, size_t *n, bool *text) {
  void *body = NULL, *control = NULL;
  struct nn_iovec iov = {&body, NN_MSG};
  struct nn_msghdr message = {&iov, 1, &control, NN_MSG};
  check("wait", nn_setsockopt(socket, NN_SOL_SOCKET, NN_RCVTIMEO, &milliseconds, sizeof milliseconds));
  int got = nn_recvmsg(socket, &message, 0);
  if (got < 0 && nn_errno() == ETIMEDOUT) return NULL;
  *n = (size_t)check("receive", got);
  *text = is_text(&message);
  if (control != NULL) nn_freemsg(control);
  void *octets = malloc(*n + 1);
  if (octets == NULL) fail("receive", "out of memory");
  memcpy(octets, body, *n);
  nn_freemsg(body);
  return octets;
}

void peer_device(int front, int back) {
  check("device", nn_device(front, back));
}
