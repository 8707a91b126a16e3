#pragma once
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

// libmicrohttpd takes its options through variadic functions, which Swift cannot call: one struct of settings
// and a few typed accessors stand in for them.

/// What a daemon is started with. Strings must live until the daemon has stopped.
struct cmhd_settings {
  int listening_socket;
  bool ipv6;
  unsigned int connection_limit;
  unsigned int connections_per_address; // 0: no limit
  unsigned int idle_timeout_seconds;
  size_t connection_memory; // bytes a connection may use for its request head and read buffer
  const char *certificate_pem; // NULL: plain HTTP
  const char *key_pem;
  void *context; // first argument of all callbacks below
  MHD_AccessHandlerCallback access;
  void *(*target)(void *context, const char *uri, struct MHD_Connection *connection);
  MHD_RequestCompletedCallback completed;
  MHD_NotifyConnectionCallback connection;
  void (*log)(void *context, const char *message);
};

/// Formats the library's message, which arrives as a va_list, and hands it on as text.
static inline void cmhd_format_log(void *cls, const char *format, va_list arguments) {
  const struct cmhd_settings *settings = (const struct cmhd_settings *)cls;
  char line[512];
  vsnprintf(line, sizeof line, format, arguments);
  settings->log(settings->context, line);
}

/// Leaves percent escapes alone: the caller decodes the raw target itself, after splitting it.
static inline size_t cmhd_keep_escapes(void *cls, struct MHD_Connection *connection, char *text) {
  (void)cls;
  (void)connection;
  return strlen(text);
}

/// Starts a daemon; `settings` must stay at its address until the daemon has stopped. NULL when it failed.
static inline struct MHD_Daemon *cmhd_start(struct cmhd_settings *settings) {
  struct MHD_OptionItem items[20];
  int n = 0;
#define CMHD_OPTION(o, v, p) items[n++] = (struct MHD_OptionItem){(o), (intptr_t)(v), (void *)(p)}
  CMHD_OPTION(MHD_OPTION_EXTERNAL_LOGGER, cmhd_format_log, settings);
  CMHD_OPTION(MHD_OPTION_LISTEN_SOCKET, settings->listening_socket, NULL);
  CMHD_OPTION(MHD_OPTION_CONNECTION_LIMIT, settings->connection_limit, NULL);
  CMHD_OPTION(MHD_OPTION_PER_IP_CONNECTION_LIMIT, settings->connections_per_address, NULL);
  CMHD_OPTION(MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_timeout_seconds, NULL);
  CMHD_OPTION(MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->connection_memory, NULL);
  CMHD_OPTION(MHD_OPTION_URI_LOG_CALLBACK, settings->target, settings->context);
  CMHD_OPTION(MHD_OPTION_UNESCAPE_CALLBACK, cmhd_keep_escapes, NULL);
  CMHD_OPTION(MHD_OPTION_NOTIFY_COMPLETED, settings->completed, settings->context);
  CMHD_OPTION(MHD_OPTION_NOTIFY_CONNECTION, settings->connection, settings->context);
  unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  if (settings->ipv6) flags |= MHD_USE_IPv6;
  if (settings->certificate_pem != NULL) {
    flags |= MHD_USE_TLS;
    CMHD_OPTION(MHD_OPTION_HTTPS_MEM_CERT, 0, settings->certificate_pem);
    CMHD_OPTION(MHD_OPTION_HTTPS_MEM_KEY, 0, settings->key_pem);
    CMHD_OPTION(MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2");
  }
  CMHD_OPTION(MHD_OPTION_END, 0, NULL);
#undef CMHD_OPTION
  return MHD_start_daemon(
      flags, 0, NULL, NULL, settings->access, settings->context, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

/// The connection's socket; -1 when unknown.
static inline int cmhd_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == NULL ? -1 : info->connect_fd;
}

/// The client's socket address; NULL when unknown.
static inline const struct sockaddr *cmhd_client_address(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info == NULL ? NULL : info->client_addr;
}

/// What the connection callback stored in its socket context; NULL when nothing.
static inline void *cmhd_socket_context(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == NULL ? NULL : info->socket_context;
}

/// The status of the response queued last, whoever queued it; 0 when none was.
static inline unsigned int cmhd_status(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
  return info == NULL ? 0 : info->http_status;
}

/// Has the library end the response by closing the connection rather than by a last chunk; 0 when it cannot.
static inline int cmhd_send_no_chunks(struct MHD_Response *response) {
  return MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END) == MHD_YES;
}

/// The connections open now.
static inline unsigned int cmhd_open_connections(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  return info == NULL ? 0 : info->num_connections;
}

/// One request header as it stands in the connection's read buffer.
struct cmhd_header {
  const char *name;
  size_t name_length;
  const char *value;
  size_t value_length;
};

struct cmhd_header_list {
  struct cmhd_header *items;
  int capacity;
  int count;
};

static inline enum MHD_Result cmhd_collect(
    void *cls, enum MHD_ValueKind kind, const char *name, size_t name_length, const char *value,
    size_t value_length) {
  struct cmhd_header_list *list = (struct cmhd_header_list *)cls;
  (void)kind;
  if (list->count < list->capacity)
    list->items[list->count] = (struct cmhd_header){name, name_length, value, value_length};
  list->count++;
  return MHD_YES;
}

/// Writes up to `capacity` headers to `items` in the order received; returns how many there are in all.
static inline int cmhd_headers(struct MHD_Connection *connection, struct cmhd_header *items, int capacity) {
  struct cmhd_header_list list = {items, capacity, 0};
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, cmhd_collect, &list);
  return list.count;
}

/// Whether the request head was exactly `method SP target SP version CRLF (name ":" OWS value CRLF)* CRLF`.
///
/// The library parses in place: it puts a NUL where a part ends and cuts a value at a NUL that the client sent.
/// What it cut off, unfolded, or took for a line end (a bare CR or LF) shows as a gap between the parts, so the
/// parts are walked in order and must lie end to end in the read buffer. Valid only in the access handler's
/// first call, on HTTP/1.x heads whose header count fitted `headers`.
static inline bool cmhd_head_is_exact(
    struct MHD_Connection *connection, const char *method, const char *target, size_t target_length,
    const char *version, const struct cmhd_header *headers, int count) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  if (info == NULL || target == NULL) return false;
  const char *end = method + info->header_size;
  if (target != method + strlen(method) + 1 || version != target + target_length + 1) return false;
  const char *p = version + strlen(version);
  for (int i = 0; i < count; i++) {
    if (p + 2 > end || p[0] != 0 || p[1] != 0) return false;
    p += 2;
    const struct cmhd_header *h = &headers[i];
    if (h->name != p || h->value < h->name + h->name_length + 1 || h->value > end) return false;
    for (p += h->name_length + 1; p < h->value; p++)
      if (*p != ' ' && *p != '\t') return false;
    p += h->value_length;
  }
  return p + 4 == end && p[0] == 0 && p[1] == 0 && p[2] == 0 && p[3] == 0;
}

// An epoll set of the server's own, because Swift's Glibc module has no epoll: it watches sockets that the library
// has suspended. Events are named by the caller's id.

static inline int cmhd_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

/// Reports once when the peer has closed its side.
static inline void cmhd_epoll_add_peer_left(int poll, int socket, uint64_t id) {
  struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data = {.u64 = id}};
  epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
}

/// Reports for as long as there is something to read.
static inline void cmhd_epoll_add_readable(int poll, int socket, uint64_t id) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = id}};
  epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
}

static inline void cmhd_epoll_remove(int poll, int socket) { epoll_ctl(poll, EPOLL_CTL_DEL, socket, NULL); }

/// Waits for events; writes the ids of up to 64 of them and returns how many.
static inline int cmhd_epoll_wait(int poll, uint64_t *ids, int milliseconds) {
  struct epoll_event events[64];
  int count = epoll_wait(poll, events, 64, milliseconds);
  for (int i = 0; i < count; i++) ids[i] = events[i].data.u64;
  return count < 0 ? 0 : count;
}
