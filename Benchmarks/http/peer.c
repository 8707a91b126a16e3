// The least that libmicrohttpd can do: one epoll thread, one constant answer. What a server is measured against.
// Usage: peer PORT
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct MHD_Response *answer;

static enum MHD_Result handle(
    void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_size, void **state) {
  static int seen;
  (void)cls, (void)url, (void)method, (void)version, (void)upload;
  if (*state == NULL) {
    *state = &seen;
    return MHD_YES;
  }
  if (*upload_size > 0) {
    *upload_size = 0;
    return MHD_YES;
  }
  return MHD_queue_response(connection, MHD_HTTP_OK, answer);
}

int main(int argc, char **argv) {
  static char body[] = "{\"status\":\"ok\"}\n";
  if (argc != 2) return 2;
  answer = MHD_create_response_from_buffer(sizeof body - 1, body, MHD_RESPMEM_PERSISTENT);
  MHD_add_response_header(answer, "Content-Type", "application/json");
  struct MHD_Daemon *daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)atoi(argv[1]), NULL, NULL, handle, NULL, MHD_OPTION_CONNECTION_LIMIT,
      10000u, MHD_OPTION_END);
  if (daemon == NULL) return 1;
  pause();
  return 0;
}
