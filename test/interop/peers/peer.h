/* What a library must offer so that `main` in peer.c can speak through it. */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>

enum role { REQ, REP, PUSH, PULL, PAIR0, PUB, SUB, SURVEYOR, RESPONDENT, BUS, PAIR1 };

/* A socket without a limit on what it receives, subscribed to everything, whose surveys go on until
   the next. All of these end the process when they fail. */
int peer_open(enum role role, bool raw);
void peer_listen(int socket, const char *url);
void peer_dial(int socket, const char *url);
/* Returns when somebody is there. */
void peer_meet(int socket);
void peer_send(int socket, const void *octets, size_t n);
/* Sends everything as text from now on, where there is such a thing. */
void peer_text(int socket);
/* NULL if nothing comes within that many milliseconds; waits for ever if they are negative. The caller
   frees what comes back. */
void *peer_receive(int socket, int milliseconds, size_t *n, bool *text);
/* Passes on until one of the two fails. */
void peer_device(int front, int back);

_Noreturn void fail(const char *doing, const char *why);

#endif
