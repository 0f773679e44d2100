/* ranks_pipe.c - data parallelism without MPI: two processes and a socket between them train one model, and it is the model
 * of one process that has the whole batch.
 *
 *   ranks_pipe
 *
 * Whatever carries bytes will do: the library asks for sums, and for the same bits on both sides. Here one side adds, and sends
 * the sum back.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ffebm.h>

#include "support/quadrants.h"

enum { BATCH = 64, CUT = 40, STEPS = 100, PIECE = 4096 }; /* one process has 40 samples of a batch, the other 24 */

struct side {
    int socket;
    int adds; /* else the other side does */
};

static int send_all(int to, const void *bytes, size_t count)
{
    for (size_t sent = 0; sent < count;) {
        ssize_t now =
            send(to, (const char *)bytes + sent, count - sent, MSG_NOSIGNAL); /* whose other side has died: -1 */

        if (now <= 0)
            return -1;
        sent += (size_t)now;
    }
    return 0;
}

static int receive_all(int from, void *bytes, size_t count)
{
    for (size_t received = 0; received < count;) {
        ssize_t now = read(from, (char *)bytes + received, count - received);

        if (now <= 0)
            return -1;
        received += (size_t)now;
    }
    return 0;
}

static void add(void *values, const void *others, size_t bytes, int32_t dtype)
{
    for (size_t i = 0; dtype == FFEBM_FLOAT32 && i < bytes / sizeof(float); i++)
        ((float *)values)[i] += ((const float *)others)[i];
    for (size_t i = 0; dtype == FFEBM_FLOAT64 && i < bytes / sizeof(double); i++)
        ((double *)values)[i] += ((const double *)others)[i];
}

static int exchange(const struct side *side, void *values, size_t bytes, int32_t dtype)
{
    double others[PIECE / sizeof(double)];

    if (!side->adds)
        return send_all(side->socket, values, bytes) != 0 ? -1 : receive_all(side->socket, values, bytes);
    if (receive_all(side->socket, others, bytes) != 0)
        return -1;
    add(values, others, bytes, dtype);
    return send_all(side->socket, values, bytes);
}

/* In pieces, so that no memory is needed for what comes from the other side. */
static int32_t add_up(void *user, void *values, size_t count, int32_t dtype)
{
    const size_t bytes = count * (dtype == FFEBM_FLOAT32 ? sizeof(float) : sizeof(double));

    for (size_t first = 0; first < bytes; first += PIECE)
        if (exchange(user, (char *)values + first, bytes - first < PIECE ? bytes - first : PIECE, dtype) != 0)
            return 1;
    return 0;
}

/* Train on samples `first` to `end` of every batch; the parameters that came of it are copied to `values`, as many as there is
 * room for. Returns how many there are, 0 on failure. */
static size_t train(const struct side *side, int64_t first, int64_t end, double *values, size_t room)
{
    const int64_t shape[] = {end - first, 1, QUADRANTS_SIDE, QUADRANTS_SIDE};
    ffebm_context *context = NULL;
    ffebm_context_config config;
    ffebm_model *model = NULL;
    ffebm_engine *engine = NULL;
    ffebm_optimizer *optimizer = NULL;
    ffebm_tensor *x = NULL, *labels = NULL;
    ffebm_report report = {.size = sizeof report};
    ffebm_status status;
    size_t count = 0;

    ffebm_context_config_init(&config, sizeof config);
    config.reduce = side == NULL ? NULL : add_up;
    config.reduce_user = (void *)(uintptr_t)side;
    if ((status = ffebm_context_create(&context, &config)) == FFEBM_OK &&
        (status = quadrants_model(context, &model)) == FFEBM_OK &&
        (status = ffebm_engine_create(&engine, model, NULL)) == FFEBM_OK &&
        (status = ffebm_engine_set_first_sample(engine, (uint64_t)first)) == FFEBM_OK &&
        (status = ffebm_optimizer_create_adam(&optimizer, model, NULL)) == FFEBM_OK &&
        (status = ffebm_tensor_create(context, &x, FFEBM_FLOAT64, shape, 4)) == FFEBM_OK)
        status = ffebm_tensor_create(context, &labels, FFEBM_INT64, shape, 1);
    for (int step = 0; step < STEPS && status == FFEBM_OK; step++) {
        quadrants_fill(x, labels, (uint64_t)(step * BATCH + first));
        if ((status = ffebm_engine_gradient(engine, &report, x, labels, NULL)) == FFEBM_OK)
            status = ffebm_optimizer_step(optimizer, engine);
    }
    if (status == FFEBM_OK) {
        count = ffebm_tensor_count(ffebm_model_flat_parameters(model));
        memcpy(values, ffebm_tensor_data(ffebm_model_flat_parameters(model)),
               (count < room ? count : room) * sizeof *values);
    }
    if (status == FFEBM_OK && first == 0)
        printf("%s: loss %.6f of %zu samples, %zu of them right\n", side == NULL ? "one process " : "two processes",
               report.loss, report.batch, report.correct);
    if (status != FFEBM_OK)
        fprintf(stderr, "%s\n", ffebm_context_error(context));
    ffebm_tensor_destroy(labels);
    ffebm_tensor_destroy(x);
    ffebm_optimizer_destroy(optimizer);
    ffebm_engine_destroy(engine);
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    return count;
}

/* |a - b| / |b| */
static double distance(const double *a, const double *b, size_t count)
{
    double difference = 0, size = 0;

    for (size_t i = 0; i < count; i++) {
        difference += pow(a[i] - b[i], 2);
        size += pow(b[i], 2);
    }
    return sqrt(difference / size);
}

int main(void)
{
    enum { ROOM = 1 << 16 };
    static double two[ROOM], one[ROOM];
    int sockets[2], status = 1;
    size_t count;
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0 || (child = fork()) < 0)
        return EXIT_FAILURE;
    if (child == 0) {
        close(sockets[0]);
        return train(&(struct side){sockets[1], 1}, CUT, BATCH, two, ROOM) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    close(sockets[1]);
    count = train(&(struct side){sockets[0], 0}, 0, CUT, two, ROOM);
    if (waitpid(child, &status, 0) != child || status != 0 || count == 0 || count > ROOM ||
        train(NULL, 0, BATCH, one, ROOM) != count)
        return EXIT_FAILURE;
    printf("%zu parameters, of which one process has other values by %.1g\n", count, distance(two, one, count));
    return distance(two, one, count) < 1e-6 ? EXIT_SUCCESS : EXIT_FAILURE;
}
