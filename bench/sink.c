/*
 * An S3 server over TLS for uploaders to be timed against: it discards bodies, remembers what a client may ask of an
 * object later, and checks nothing. It is written in C because a server in Node was slower than the faster clients.
 * sink.ts stands in for it on a machine without a C compiler or the headers of OpenSSL. Both behave the same.
 *
 * usage: sink KEY CERTIFICATE. Prints {"port":N}, then one line of JSON for each line on stdin: `report` says what was
 * seen since the last line, `forget` also empties the bucket. It ends when stdin ends.
 *
 * One thread serves one connection. An ETag is the MD5 of the body up to 1 MiB, and opaque above, as on S3 with a KMS key.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024, HASHED_BODY_BYTES = 1024 * 1024, PAGE_KEYS = 1000, PARTS = 10001, KINDS = 32 };

typedef struct {
  char *path; /* bucket/key */
  uint64_t size;
  char etag[64];
  char *headers; /* checksums and metadata, each line with its CRLF */
} Object;

typedef struct {
  char *headers;
  uint64_t sizes[PARTS];
} Upload;

typedef struct {
  SSL *ssl;
  size_t begin, end;
  char buffer[BUFFER_BYTES + 1];
} Connection;

typedef struct {
  uint64_t size;
  char etag[64];
} Body;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Object **objects; /* sorted by path */
static size_t object_count, object_room;
static Upload **uploads; /* an upload's id is its index + 1 */
static size_t upload_count;
static struct {
  long connections, expectations, chunked;
  uint64_t bytes;
  struct { char what[64]; long count; } kinds[KINDS];
  double cpu;
} seen;

static void *must(void *pointer) {
  if (pointer == NULL) { perror("sink"); exit(1); }
  return pointer;
}

/* ---- what is read from a connection ---- */

static bool fill(Connection *c) {
  if (c->begin == c->end) c->begin = c->end = 0;
  else if (c->begin > 0) {
    memmove(c->buffer, c->buffer + c->begin, c->end - c->begin);
    c->end -= c->begin;
    c->begin = 0;
  }
  if (c->end == BUFFER_BYTES) return false;
  const int got = SSL_read(c->ssl, c->buffer + c->end, (int)(BUFFER_BYTES - c->end));
  if (got <= 0) return false;
  c->end += (size_t)got;
  return true;
}

/* Cuts the next text that ends with `mark` out of the buffer, without the mark. */
static char *take_until(Connection *c, const char *mark) {
  for (;;) {
    char *found = memmem(c->buffer + c->begin, c->end - c->begin, mark, strlen(mark));
    if (found != NULL) {
      char *text = c->buffer + c->begin;
      *found = 0;
      c->begin = (size_t)(found - c->buffer) + strlen(mark);
      return text;
    }
    if (!fill(c)) return NULL;
  }
}

static bool skip(Connection *c, uint64_t length, EVP_MD_CTX *md5) {
  while (length > 0) {
    if (c->begin == c->end && !fill(c)) return false;
    const size_t there = c->end - c->begin, part = there < length ? there : (size_t)length;
    if (md5 != NULL) EVP_DigestUpdate(md5, c->buffer + c->begin, part);
    c->begin += part;
    length -= part;
  }
  return true;
}

static bool discard(Connection *c, uint64_t length, bool chunked, uint64_t decoded, Body *body) {
  strcpy(body->etag, "\"opaque\"");
  if (chunked) {
    uint64_t size = 0;
    for (;;) {
      const char *line = take_until(c, "\r\n");
      if (line == NULL) return false;
      const uint64_t piece = strtoull(line, NULL, 16);
      if (piece == 0) break;
      size += piece;
      if (!skip(c, piece + 2, NULL)) return false;
    }
    for (const char *trailer = " "; *trailer != 0;)
      if ((trailer = take_until(c, "\r\n")) == NULL) return false;
    length = size;
  } else if (decoded == 0 && length <= HASHED_BODY_BYTES) {
    static __thread EVP_MD_CTX *md5;
    unsigned char digest[16];
    if (md5 == NULL) md5 = must(EVP_MD_CTX_new());
    EVP_DigestInit_ex(md5, EVP_md5(), NULL);
    if (!skip(c, length, md5)) return false;
    EVP_DigestFinal_ex(md5, digest, NULL);
    for (int i = 0; i < 16; i++) sprintf(body->etag + 1 + 2 * i, "%02x", digest[i]);
    strcat(body->etag, "\"");
  } else if (!skip(c, length, NULL)) return false;
  body->size = decoded != 0 ? decoded : length;
  pthread_mutex_lock(&mutex);
  seen.bytes += length;
  pthread_mutex_unlock(&mutex);
  return true;
}

/* ---- a request's parts ---- */

static const char *header(char **lines, const char *name) {
  const size_t length = strlen(name);
  for (; *lines != NULL; lines++)
    if (strncasecmp(*lines, name, length) == 0 && (*lines)[length] == ':') {
      const char *value = *lines + length + 1;
      while (*value == ' ') value++;
      return value;
    }
  return NULL;
}

/* The headers that belong to an object, as lines. */
static char *remember(char **lines, bool checksums_only) {
  char *text = NULL;
  size_t length;
  FILE *out = must(open_memstream(&text, &length));
  for (; *lines != NULL; lines++) {
    const bool checksum = strncasecmp(*lines, "x-amz-checksum-", 15) == 0 &&
                          strncasecmp(*lines + 15, "algorithm", 9) != 0 && strncasecmp(*lines + 15, "mode", 4) != 0;
    const bool metadata = !checksums_only && strncasecmp(*lines, "x-amz-meta-", 11) == 0;
    if (checksum || metadata) fprintf(out, "%s\r\n", *lines);
  }
  fclose(out);
  return text;
}

static void decode(char *text, bool plus) {
  char *to = text;
  for (const char *from = text; *from != 0; from++) {
    unsigned byte;
    if (*from == '%' && isxdigit((unsigned char)from[1]) && sscanf(from + 1, "%2x", &byte) == 1) {
      *to++ = (char)byte;
      from += 2;
    } else *to++ = plus && *from == '+' ? ' ' : *from;
  }
  *to = 0;
}

/* The value of a query's parameter, decoded and to be freed, or NULL. */
static char *parameter(const char *query, const char *name) {
  const size_t length = strlen(name);
  while (query != NULL && *query != 0) {
    if (strncmp(query, name, length) == 0 && (query[length] == '=' || query[length] == '&' || query[length] == 0)) {
      const char *value = query + length + (query[length] == '=');
      char *text = must(strndup(value, strcspn(value, "&")));
      decode(text, true);
      return text;
    }
    query = strchr(query, '&');
    if (query != NULL) query++;
  }
  return NULL;
}

static bool has(const char *query, const char *name) {
  char *value = parameter(query, name);
  free(value);
  return value != NULL;
}

/* ---- the bucket; `mutex` is held ---- */

/* The index of `path`, or of the first one after it. */
static size_t find(const char *path) {
  size_t low = 0, high = object_count;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (strcmp(objects[middle]->path, path) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

static Object *get(const char *path) {
  const size_t at = find(path);
  return at < object_count && strcmp(objects[at]->path, path) == 0 ? objects[at] : NULL;
}

static void put(const char *path, uint64_t size, const char *etag, char *headers) {
  Object *object = get(path);
  if (object == NULL) {
    const size_t at = find(path);
    if (object_count == object_room) {
      object_room = object_room * 2 + 64;
      objects = must(realloc(objects, object_room * sizeof *objects));
    }
    memmove(objects + at + 1, objects + at, (object_count - at) * sizeof *objects);
    object_count++;
    object = objects[at] = must(calloc(1, sizeof *object));
    object->path = must(strdup(path));
  }
  free(object->headers);
  object->headers = headers;
  object->size = size;
  snprintf(object->etag, sizeof object->etag, "%s", etag);
}

static void forget(void) {
  for (size_t i = 0; i < object_count; i++) {
    free(objects[i]->path);
    free(objects[i]->headers);
    free(objects[i]);
  }
  object_count = 0;
}

static void print_xml(FILE *out, const char *text) {
  for (; *text != 0; text++) {
    if (*text == '&') fputs("&amp;", out);
    else if (*text == '<') fputs("&lt;", out);
    else fputc(*text, out);
  }
}

static void list(FILE *out, const char *bucket, const char *query) {
  char *prefix = parameter(query, "prefix"), *after = parameter(query, "continuation-token"), *path;
  const size_t length = (size_t)asprintf(&path, "%s/%s", bucket, prefix == NULL ? "" : prefix);
  size_t at = find(path), count = 0;
  if (after != NULL && strcmp(after, path) > 0) {
    at = find(after);
    if (at < object_count && strcmp(objects[at]->path, after) == 0) at++;
  }
  fputs("<ListBucketResult>", out);
  for (; at < object_count && count < PAGE_KEYS && strncmp(objects[at]->path, path, length) == 0; at++, count++) {
    fputs("<Contents><Key>", out);
    print_xml(out, objects[at]->path + strlen(bucket) + 1);
    fprintf(out, "</Key><LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>%s</ETag><Size>%lu</Size></Contents>",
            objects[at]->etag, objects[at]->size);
  }
  const bool more = at < object_count && strncmp(objects[at]->path, path, length) == 0;
  if (more) {
    fputs("<NextContinuationToken>", out);
    print_xml(out, objects[at - 1]->path);
    fputs("</NextContinuationToken>", out);
  }
  fprintf(out, "<IsTruncated>%s</IsTruncated></ListBucketResult>", more ? "true" : "false");
  free(prefix);
  free(after);
  free(path);
}

static void count(const char *what) {
  for (int i = 0; i < KINDS; i++) {
    if (seen.kinds[i].count == 0) snprintf(seen.kinds[i].what, sizeof seen.kinds[i].what, "%s", what);
    if (strcmp(seen.kinds[i].what, what) == 0) {
      seen.kinds[i].count++;
      return;
    }
  }
}

/* ---- answers ---- */

static void print_head(FILE *out, const char *status, const char *headers, uint64_t length) {
  fprintf(out, "HTTP/1.1 %s\r\nconnection: keep-alive\r\n%scontent-length: %lu\r\n\r\n", status, headers, length);
}

static void print_document(FILE *out, const char *text) {
  print_head(out, "200 OK", "content-type: application/xml\r\n", strlen(text));
  fputs(text, out);
}

static void answer(FILE *out, const char *method, char *target, char **lines, const Body *body) {
  char *query = strchr(target, '?');
  if (query != NULL) *query++ = 0;
  char *path = target[0] == '/' ? target + 1 : target;
  decode(path, false);
  char *slash = strchr(path, '/');
  const bool is_bucket = slash == NULL || slash[1] == 0;
  char *id = parameter(query, "uploadId"), *number = parameter(query, "partNumber"), what[64];
  const bool begins = has(query, "uploads");
  snprintf(what, sizeof what, "%s %s%s%s%s", method, is_bucket ? "bucket" : "object", begins ? " uploads" : "",
           id != NULL ? " uploadId" : "", number != NULL ? " partNumber" : "");

  pthread_mutex_lock(&mutex);
  count(what);
  const size_t index = id == NULL ? 0 : strtoul(id, NULL, 10);
  Upload *upload = index > 0 && index <= upload_count ? uploads[index - 1] : NULL;
  if (is_bucket) {
    if (strcmp(method, "GET") != 0) print_head(out, "200 OK", "x-amz-bucket-region: us-east-1\r\n", 0);
    else if (begins) print_document(out, "<ListMultipartUploadsResult></ListMultipartUploadsResult>");
    else if (has(query, "location")) print_document(out, "<LocationConstraint></LocationConstraint>");
    else {
      char *text = NULL;
      size_t length;
      FILE *page = must(open_memstream(&text, &length));
      if (slash != NULL) *slash = 0;
      list(page, path, query);
      fclose(page);
      print_document(out, text);
      free(text);
    }
  } else if (strcmp(method, "HEAD") == 0 || strcmp(method, "GET") == 0) {
    const Object *object = strcmp(method, "HEAD") == 0 ? get(path) : NULL;
    if (object == NULL) print_head(out, "404 Not Found", "", 0);
    else {
      char *headers;
      if (asprintf(&headers, "%setag: %s\r\nlast-modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n", object->headers,
                   object->etag) < 0) exit(1);
      print_head(out, "200 OK", headers, object->size);
      free(headers);
    }
  } else if (strcmp(method, "POST") == 0 && begins) {
    char text[160];
    uploads = must(realloc(uploads, (upload_count + 1) * sizeof *uploads));
    uploads[upload_count] = must(calloc(1, sizeof(Upload)));
    uploads[upload_count++]->headers = remember(lines, false);
    snprintf(text, sizeof text, "<InitiateMultipartUploadResult><UploadId>%zu</UploadId></InitiateMultipartUploadResult>",
             upload_count);
    print_document(out, text);
  } else if (strcmp(method, "POST") == 0 && upload != NULL) {
    uint64_t size = 0;
    int parts = 0;
    for (int part = 1; part < PARTS; part++) {
      size += upload->sizes[part];
      parts += upload->sizes[part] > 0;
    }
    char etag[64], checksum[160] = "", *text, *headers, *checksums = remember(lines, true);
    snprintf(etag, sizeof etag, "\"%032zx-%d\"", index, parts);
    const char *crc = header(lines, "x-amz-checksum-crc32");
    if (crc != NULL)
      snprintf(checksum, sizeof checksum, "<ChecksumCRC32>%s</ChecksumCRC32><ChecksumType>FULL_OBJECT</ChecksumType>", crc);
    if (asprintf(&headers, "%s%s", upload->headers, checksums) < 0) exit(1);
    free(checksums);
    put(path, size, etag, headers);
    free(upload->headers);
    free(upload);
    uploads[index - 1] = NULL;
    if (asprintf(&text, "<CompleteMultipartUploadResult><ETag>%s</ETag>%s</CompleteMultipartUploadResult>", etag,
                 checksum) < 0) exit(1);
    print_document(out, text);
    free(text);
  } else if (strcmp(method, "PUT") == 0) {
    char *checksums = remember(lines, true), *headers;
    if (asprintf(&headers, "%setag: %s\r\n", checksums, body->etag) < 0) exit(1);
    print_head(out, "200 OK", headers, 0);
    free(headers);
    free(checksums);
    const long part = number == NULL ? 0 : strtol(number, NULL, 10);
    if (upload == NULL) put(path, body->size, body->etag, remember(lines, false));
    else if (part > 0 && part < PARTS) upload->sizes[part] = body->size;
  } else fputs("HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n", out);
  pthread_mutex_unlock(&mutex);
  free(id);
  free(number);
}

static bool serve_one(Connection *c) {
  char *head = take_until(c, "\r\n\r\n");
  if (head == NULL) return false;
  /* The body's first bytes may move the buffer: the head needs a place of its own. */
  char *copy = must(strdup(head)), *lines[128], *rest = copy;
  int line_count = 0;
  for (char *line; line_count < 127 && (line = strsep(&rest, "\n")) != NULL; line_count++) {
    line[strcspn(line, "\r")] = 0;
    lines[line_count] = line;
  }
  lines[line_count] = NULL;
  char *start = lines[0], *method = strsep(&start, " "), *target = strsep(&start, " ");
  const char *length = header(lines + 1, "content-length"), *encoding = header(lines + 1, "content-encoding");
  const char *decoded = header(lines + 1, "x-amz-decoded-content-length"), *close = header(lines + 1, "connection");
  const char *transfer = header(lines + 1, "transfer-encoding");
  const bool expects = header(lines + 1, "expect") != NULL;
  const bool chunked = encoding != NULL && strstr(encoding, "aws-chunked") != NULL;
  if (expects || chunked) {
    pthread_mutex_lock(&mutex);
    seen.expectations += expects;
    seen.chunked += chunked;
    pthread_mutex_unlock(&mutex);
  }
  Body body = {0};
  bool open = target != NULL && (!expects || SSL_write(c->ssl, "HTTP/1.1 100 Continue\r\n\r\n", 25) > 0) &&
              discard(c, length == NULL ? 0 : strtoull(length, NULL, 10), transfer != NULL,
                      decoded == NULL ? 0 : strtoull(decoded, NULL, 10), &body);
  if (open) {
    char *text = NULL;
    size_t size;
    FILE *out = must(open_memstream(&text, &size));
    answer(out, method, target, lines + 1, &body);
    fclose(out);
    open = SSL_write(c->ssl, text, (int)size) > 0 && (close == NULL || strcasecmp(close, "close") != 0);
    free(text);
  }
  free(copy);
  return open;
}

static void *serve(void *ssl) {
  Connection *c = must(calloc(1, sizeof *c));
  c->ssl = ssl;
  if (SSL_accept(c->ssl) == 1) {
    pthread_mutex_lock(&mutex);
    seen.connections++;
    pthread_mutex_unlock(&mutex);
    while (serve_one(c)) {}
    SSL_shutdown(c->ssl);
  }
  close(SSL_get_fd(c->ssl));
  SSL_free(c->ssl);
  free(c);
  return NULL;
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void *obey(void *unused) {
  char line[32];
  while (fgets(line, sizeof line, stdin) != NULL) {
    pthread_mutex_lock(&mutex);
    if (strcmp(line, "forget\n") == 0) forget();
    const double cpu = cpu_seconds();
    printf("{\"connections\":%ld,\"bytes\":%lu,\"expectations\":%ld,\"chunked\":%ld,\"cpu\":%.3f,\"requests\":{",
           seen.connections, seen.bytes, seen.expectations, seen.chunked, cpu - seen.cpu);
    for (int i = 0; i < KINDS && seen.kinds[i].count > 0; i++)
      printf("%s\"%s\":%ld", i == 0 ? "" : ",", seen.kinds[i].what, seen.kinds[i].count);
    puts("}}");
    fflush(stdout);
    memset(&seen, 0, sizeof seen);
    seen.cpu = cpu;
    pthread_mutex_unlock(&mutex);
  }
  exit(0);
  return unused;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  signal(SIGPIPE, SIG_IGN);
  SSL_CTX *context = must(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_PrivateKey_file(context, argv[1], SSL_FILETYPE_PEM) != 1) return 1;
  if (SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1) return 1;
  /* Several records with one system call: without it, each of 16 KiB takes two. */
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 256 * 1024);

  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  const int server = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  if (bind(server, (struct sockaddr *)&address, length) != 0 || listen(server, 512) != 0) return 1;
  getsockname(server, (struct sockaddr *)&address, &length);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);

  pthread_t thread;
  pthread_create(&thread, NULL, obey, NULL);
  for (;;) {
    const int socket = accept(server, NULL, NULL);
    if (socket < 0) continue;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    SSL *ssl = must(SSL_new(context));
    SSL_set_fd(ssl, socket);
    if (pthread_create(&thread, NULL, serve, ssl) == 0) pthread_detach(thread);
    else {
      close(socket);
      SSL_free(ssl);
    }
  }
}
