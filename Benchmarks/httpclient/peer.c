// The least that libcurl's multi interface can do: CONNECTIONS easy handles, each restarted when it is done.
// Usage: peer URL SECONDS CONNECTIONS; prints JSON.
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static size_t discard(char *data, size_t size, size_t count, void *total) {
  (void)data;
  *(size_t *)total += size * count;
  return size * count;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  double end = now() + atof(argv[2]);
  int connections = atoi(argv[3]), running = 0, waiting = 0;
  size_t bytes = 0, requests = 0;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM *multi = curl_multi_init();
  for (int i = 0; i < connections; i++) {
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &bytes);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_multi_add_handle(multi, easy);
  }
  while (now() < end) {
    curl_multi_perform(multi, &running);
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &waiting)) != NULL;) {
      if (message->msg != CURLMSG_DONE) continue;
      if (message->data.result != CURLE_OK) return 1;
      requests++;
      CURL *easy = message->easy_handle;
      curl_multi_remove_handle(multi, easy);
      curl_multi_add_handle(multi, easy);
    }
    curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"requests\": %zu, \"processor_seconds\": %f}\n", requests,
         (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
             (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
  return 0;
}
