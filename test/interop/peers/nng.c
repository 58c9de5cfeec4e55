/* The peer over libnng. */
#include "peer.h"

#include <nng/nng.h>
#include <nng/protocol/bus0/bus.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pair1/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/protocol/survey0/respond.h>
#include <nng/protocol/survey0/survey.h>
#include <nng/supplemental/tls/tls.h>
#include <nng/transport/tls/tls.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check(const char *doing, int error) {
  if (error != 0) fail(doing, nng_strerror(error));
}

static nng_socket of(int socket) {
  return (nng_socket){.id = (uint32_t)socket};
}

static atomic_bool met;

static void meet(nng_pipe pipe, nng_pipe_ev event, void *nothing) {
  (void)pipe, (void)event, (void)nothing;
  met = true;
}

int peer_open(enum role role, bool raw) {
  static int (*const opens[][2])(nng_socket *) = {
      [REQ] = {nng_req0_open, nng_req0_open_raw},
      [REP] = {nng_rep0_open, nng_rep0_open_raw},
      [PUSH] = {nng_push0_open, nng_push0_open_raw},
      [PULL] = {nng_pull0_open, nng_pull0_open_raw},
      [PAIR0] = {nng_pair0_open, nng_pair0_open_raw},
      [PUB] = {nng_pub0_open, nng_pub0_open_raw},
      [SUB] = {nng_sub0_open, nng_sub0_open_raw},
      [SURVEYOR] = {nng_surveyor0_open, nng_surveyor0_open_raw},
      [RESPONDENT] = {nng_respondent0_open, nng_respondent0_open_raw},
      [BUS] = {nng_bus0_open, nng_bus0_open_raw},
      [PAIR1] = {nng_pair1_open, nng_pair1_open_raw},
  };
  nng_socket s;
  check("open", opens[role][raw](&s));
  check("no limit", nng_socket_set_size(s, NNG_OPT_RECVMAXSZ, 0));
  check("reconnect", nng_socket_set_ms(s, NNG_OPT_RECONNMINT, 10));
  if (role == SUB && !raw) check("subscribe", nng_socket_set(s, NNG_OPT_SUB_SUBSCRIBE, "", 0));
  if (role == SURVEYOR && !raw)
    check("survey time", nng_socket_set_ms(s, NNG_OPT_SURVEYOR_SURVEYTIME, 600000));
  check("notify", nng_pipe_notify(s, NNG_PIPE_EV_ADD_POST, meet, NULL));
  return nng_socket_id(s);
}

/* Seen from where tests run; each side shows the one and trusts the other, also a listener. */
static const char certificate[] = "test/certs/localhost.pem", authority[] = "test/certs/ca.pem";

static bool secured(const char *url) {
  return strncmp(url, "tls+tcp:", 8) == 0 || strncmp(url, "wss:", 4) == 0;
}

void peer_listen(int socket, const char *url) {
  nng_listener l;
  check(url, nng_listener_create(&l, of(socket), url));
  if (secured(url)) {
    check("auth mode", nng_listener_set_int(l, NNG_OPT_TLS_AUTH_MODE, NNG_TLS_AUTH_MODE_REQUIRED));
    check("authority", nng_listener_set_string(l, NNG_OPT_TLS_CA_FILE, authority));
    check("certificate", nng_listener_set_string(l, NNG_OPT_TLS_CERT_KEY_FILE, certificate));
  }
  check(url, nng_listener_start(l, 0));
}

void peer_dial(int socket, const char *url) {
  nng_dialer d;
  check(url, nng_dialer_create(&d, of(socket), url));
  if (secured(url)) {
    check("authority", nng_dialer_set_string(d, NNG_OPT_TLS_CA_FILE, authority));
    check("certificate", nng_dialer_set_string(d, NNG_OPT_TLS_CERT_KEY_FILE, certificate));
  }
  check(url, nng_dialer_start(d, NNG_FLAG_NONBLOCK));
}

void peer_meet(int socket) {
  (void)socket;
  while (!met) usleep(1000);
}

void peer_send(int socket, const void *octets, size_t n) {
  check("send", nng_send(of(socket), (void *)octets, n, 0));
}

void peer_text(int socket) {
  (void)socket;
  fail("text", "NNG sends none below its protocols");
}

void *peer_receive(int socket, int milliseconds, size_t *n, bool *text) {
  nng_msg *m;
  check("wait", nng_socket_set_ms(of(socket), NNG_OPT_RECVTIMEO, milliseconds));
  int error = nng_recvmsg(of(socket), &m, 0);
  if (error == NNG_ETIMEDOUT) return NULL;
  check("receive", error);
  *n = nng_msg_len(m);
  *text = false;
  void *octets = malloc(*n + 1);
  if (octets == NULL) fail("receive", "out of memory");
  memcpy(octets, nng_msg_body(m), *n);
  nng_msg_free(m);
  return octets;
}

void peer_device(int front, int back) {
  check("device", nng_device(of(front), of(back)));
}
