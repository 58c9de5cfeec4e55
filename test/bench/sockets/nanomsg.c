#include "peer.h"
#include <nanomsg/nn.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>

static const int protocols[] = {NN_PUSH, NN_PULL, NN_REQ, NN_REP};
static const char *const parts[] = {"push", "pull", "req", "rep"};

static void *mount(const char *part, const char *url) {
  int *s = malloc(sizeof *s), i = 0, any = -1;
  while (strcmp(parts[i], part) != 0) i++;
  *s = nn_socket(AF_SP, protocols[i]);
  nn_setsockopt(*s, NN_SOL_SOCKET, NN_RCVMAXSIZE, &any, sizeof any);
  int e = i % 2 == 0 ? nn_connect(*s, url) : nn_bind(*s, url);
  if (e < 0) die(url, nn_strerror(nn_errno()));
  return s;
}

static void put(void *s, const unsigned char *body, size_t n) {
  if (nn_send(*(int *)s, body, n, 0) < 0) die("send", nn_strerror(nn_errno()));
}

static message take(void *s) {
  message m = {0};
  int n = nn_recv(*(int *)s, &m.own, NN_MSG, 0);
  if (n < 0) die("receive", nn_strerror(nn_errno()));
  m.data = m.own;
  m.size = n;
  return m;
}

static void give(void *s, message m) {
  if (nn_send(*(int *)s, &m.own, NN_MSG, 0) < 0) die("send", nn_strerror(nn_errno()));
}

static void drop(message m) { nn_freemsg(m.own); }
