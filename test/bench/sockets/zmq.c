#include "peer.h"
#include <zmq.h>

static const int types[] = {ZMQ_PUSH, ZMQ_PULL, ZMQ_REQ, ZMQ_REP, ZMQ_DEALER, ZMQ_ROUTER};
static const char *const parts[] = {"push", "pull", "req", "rep", "dealer", "router"};

static void *mount(const char *part, const char *url) {
  static void *context;
  if (context == NULL) context = zmq_ctx_new();
  int i = 0;
  while (strcmp(parts[i], part) != 0) i++;
  void *s = zmq_socket(context, types[i]);
  int e = i % 2 == 0 ? zmq_connect(s, url) : zmq_bind(s, url);
  if (e != 0) die(url, zmq_strerror(zmq_errno()));
  return s;
}

static void put(void *s, const unsigned char *body, size_t n) {
  if (zmq_send(s, body, n, 0) < 0) die("send", zmq_strerror(zmq_errno()));
}

static zmq_msg_t *part_of(void *s) {
  zmq_msg_t *m = malloc(sizeof *m);
  zmq_msg_init(m);
  if (zmq_msg_recv(m, s, 0) < 0) die("receive", zmq_strerror(zmq_errno()));
  return m;
}

/* What a ROUTER takes has the way back before it. */
static message take(void *s) {
  message m = {0};
  m.own = part_of(s);
  if (zmq_msg_more(m.own)) {
    m.way = m.own;
    m.own = part_of(s);
  }
  m.data = zmq_msg_data(m.own);
  m.size = zmq_msg_size(m.own);
  return m;
}

static void give(void *s, message m) {
  if (m.way != NULL) {
    if (zmq_msg_send(m.way, s, ZMQ_SNDMORE) < 0) die("send", zmq_strerror(zmq_errno()));
    free(m.way);
  }
  if (zmq_msg_send(m.own, s, 0) < 0) die("send", zmq_strerror(zmq_errno()));
  free(m.own);
}

static void drop(message m) {
  zmq_msg_close(m.own);
  free(m.own);
}
