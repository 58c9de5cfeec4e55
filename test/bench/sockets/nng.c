#include "peer.h"
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

static int (*const openers[])(nng_socket *) = {nng_push0_open, nng_pull0_open, nng_req0_open,
                                               nng_rep0_open};
static const char *const parts[] = {"push", "pull", "req", "rep"};

static void *mount(const char *part, const char *url) {
  nng_socket *s = malloc(sizeof *s);
  int i = 0;
  while (strcmp(parts[i], part) != 0) i++;
  int e = openers[i](s);
  if (e == 0) e = nng_socket_set_size(*s, NNG_OPT_RECVMAXSZ, 0);
  if (e == 0) e = i % 2 == 0 ? nng_dial(*s, url, NULL, 0) : nng_listen(*s, url, NULL, 0);
  if (e != 0) die(url, nng_strerror(e));
  return s;
}

static void put(void *s, const unsigned char *body, size_t n) {
  int e = nng_send(*(nng_socket *)s, (void *)body, n, 0);
  if (e != 0) die("send", nng_strerror(e));
}

static message take(void *s) {
  message m = {0};
  nng_msg *own;
  int e = nng_recvmsg(*(nng_socket *)s, &own, 0);
  if (e != 0) die("receive", nng_strerror(e));
  m.own = own;
  m.data = nng_msg_body(own);
  m.size = nng_msg_len(own);
  return m;
}

static void give(void *s, message m) {
  int e = nng_sendmsg(*(nng_socket *)s, m.own, 0);
  if (e != 0) die("send", nng_strerror(e));
}

static void drop(message m) { nng_msg_free(m.own); }
