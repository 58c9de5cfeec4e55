/* The peer over libnng. */
#include "peer.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdlib.h>
#include <string.h>

static void check(const char *doing, int error) {
  if (error != 0) fail(doing, nng_strerror(error));
}

static nng_socket of(int socket) {
  return (nng_socket){.id = (uint32_t)socket};
}

int peer_open(enum role role, bool raw) {
  static int (*const cooked_opens[])(nng_socket *) = {nng_req0_open, nng_rep0_open, nng_push0_open,
                                                      nng_pull0_open, nng_pair0_open};
  static int (*const raw_opens[])(nng_socket *) = {nng_req0_open_raw, nng_rep0_open_raw,
                                                   nng_push0_open_raw, nng_pull0_open_raw,
                                                   nng_pair0_open_raw};
  nng_socket s;
  check("open", (raw ? raw_opens : cooked_opens)[role](&s));
  check("no limit", nng_socket_set_size(s, NNG_OPT_RECVMAXSZ, 0));
  check("reconnect", nng_socket_set_ms(s, NNG_OPT_RECONNMINT, 10));
  return nng_socket_id(s);
}

void peer_listen(int socket, const char *url) {
  check(url, nng_listen(of(socket), url, NULL, 0));
}

void peer_dial(int socket, const char *url) {
  check(url, nng_dial(of(socket), url, NULL, NNG_FLAG_NONBLOCK));
}

void peer_send(int socket, const void *octets, size_t n) {
  check("send", nng_send(of(socket), (void *)octets, n, 0));
}

void *peer_receive(int socket, size_t *n) {
  nng_msg *m;
  check("receive", nng_recvmsg(of(socket), &m, 0));
  *n = nng_msg_len(m);
  void *octets = malloc(*n + 1);
  if (octets == NULL) fail("receive", "out of memory");
  memcpy(octets, nng_msg_body(m), *n);
  nng_msg_free(m);
  return octets;
}

void peer_device(int front, int back) {
  check("device", nng_device(of(front), of(back)));
}
