/* What a library must offer so that `main` in peer.c can speak through it. */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>

enum role { REQ, REP, PUSH, PULL, PAIR0 };

/* A socket without a limit on what it receives. All of these end the process when they fail. */
int peer_open(enum role role, bool raw);
void peer_listen(int socket, const char *url);
void peer_dial(int socket, const char *url);
void peer_send(int socket, const void *octets, size_t n);
/* The caller frees what comes back. */
void *peer_receive(int socket, size_t *n);
/* Passes on until one of the two fails. */
void peer_device(int front, int back);

_Noreturn void fail(const char *doing, const char *why);

#endif
