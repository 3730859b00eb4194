/* A TFLite external delegate that takes PRELU, for the tests: it stands where libedgetpu.so.1 stands on a Coral board.
 *
 * The runtime loads it with dlopen and hands it the graph, as it does with every external delegate; what it claims runs
 * here and not in the runtime's own kernels. It is built with -DMODE=..., one of the five below.
 *
 * TensorFlow's headers are not needed: declared here is the stable part of its C interface (TensorFlow 2.14, LiteRT 2.3:
 * lite/core/c/common.h), each structure up to the last field that is used, and complete where it is passed by value.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define CORRECT 1       /* claims every int8 PRELU and computes it as the runtime's reference kernel does */
#define WITHOUT_SLOPE 2 /* claims them and answers as if every alpha were 0 */
#define TAKES_NOTHING 3 /* finds no operator to run, as libedgetpu in a network that was not compiled for it */
#define NOT_CREATED 4   /* cannot be made, as libedgetpu without a device */
#define NOT_PREPARED 5  /* is made, then refuses the graph */

enum { kOk = 0, kError = 1 };
enum { kInt8 = 9 };   /* TfLiteType */
enum { kPrelu = 54 }; /* BuiltinOperator */

typedef int Status;

typedef struct {
  int size;
  int data[];
} IntArray;

typedef struct {
  int type;
  void *data;
  IntArray *dims;
  struct {
    float scale;
    int32_t zero_point;
  } params;
  int allocation_type;
  size_t bytes;
  const void *allocation;
  const char *name;
  void *delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  struct {
    int type;
    void *params;
  } quantization;
  void *sparsity;
  const IntArray *dims_signature;
} Tensor; /* complete: the context holds an array of them */

typedef struct {
  IntArray *inputs;
  IntArray *outputs;
  IntArray *intermediates;
  IntArray *temporaries;
  void *user_data;
} Node;

typedef struct Context Context;
typedef struct Delegate Delegate;

typedef struct {
  void *(*init)(Context *, const char *buffer, size_t length);
  void (*free)(Context *, void *user_data);
  Status (*prepare)(Context *, Node *);
  Status (*invoke)(Context *, Node *);
  const char *(*profiling_string)(const Context *, const Node *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *registration_external;
  void *(*async_kernel)(Context *, Node *);
  uint64_t inplace_operator;
} Registration; /* complete: passed by value */

struct Context {
  size_t tensors_size;
  Status (*GetExecutionPlan)(Context *, IntArray **plan);
  Tensor *tensors;
  void *impl;
  Status (*ResizeTensor)(Context *, Tensor *, IntArray *);
  void (*ReportError)(Context *, const char *message, ...);
  Status (*AddTensors)(Context *, int, int *);
  Status (*GetNodeAndRegistration)(Context *, int number, Node **, Registration **);
  Status (*ReplaceNodeSubsetsWithDelegateKernels)(Context *, Registration, const IntArray *nodes, Delegate *);
};

struct Delegate {
  void *data;
  Status (*Prepare)(Context *, Delegate *);
  Status (*CopyFromBufferHandle)(Context *, Delegate *, int, Tensor *);
  Status (*CopyToBufferHandle)(Context *, Delegate *, int, Tensor *);
  void (*FreeBufferHandle)(Context *, Delegate *, int *);
  int64_t flags;
  void *opaque_delegate_builder;
}; /* complete: made here */

typedef struct {
  Delegate *delegate;
  IntArray *nodes_to_replace;
  IntArray *input_tensors;
  IntArray *output_tensors;
} DelegateParams;

/* A real factor as significand (in units of 2^-31) and power of two. */
typedef struct {
  int32_t significand;
  int exponent;
} Factor;

typedef struct {
  int input, alpha, output;
} Prelu;

typedef struct {
  int count;
  Prelu each[];
} Kernel;

static Factor factor_of(double real) {
  Factor factor;
  int64_t significand = llround(frexp(real, &factor.exponent) * 2147483648.0);
  if (significand == 2147483648LL) {
    significand /= 2;
    factor.exponent++;
  }
  factor.significand = (int32_t)significand;
  return factor;
}

/* value * factor as the reference kernels round it: to the nearest after the product, and again after the shift. */
static int32_t scaled(int32_t value, Factor factor) {
  int left = factor.exponent > 0 ? factor.exponent : 0, right = factor.exponent > 0 ? 0 : -factor.exponent;
  int64_t product = (int64_t)value * ((int64_t)1 << left) * factor.significand;
  int64_t nudge = product >= 0 ? (1 << 30) : 1 - (1 << 30);
  int32_t high = (int32_t)((product + nudge) / ((int64_t)1 << 31));
  int64_t mask = ((int64_t)1 << right) - 1, rest = high & mask, half = (mask >> 1) + (high < 0);
  return (int32_t)(high >> right) + (rest > half);
}

static Status run(Context *context, const Prelu *prelu) {
  const Tensor *input = &context->tensors[prelu->input], *alpha = &context->tensors[prelu->alpha];
  Tensor *output = &context->tensors[prelu->output];
  if (!input->data || !alpha->data || !output->data || input->bytes != output->bytes || !alpha->bytes) {
    context->ReportError(context, "the test delegate was given a PRELU without its tensors");
    return kError;
  }
  const int8_t *x = input->data, *slope = alpha->data;
  int8_t *y = output->data;
  Factor positive = factor_of(input->params.scale / output->params.scale);
  Factor negative = factor_of(input->params.scale * alpha->params.scale / output->params.scale);
  for (size_t i = 0; i < input->bytes; i++) {
    int32_t value = x[i] - input->params.zero_point;
    if (value >= 0) {
      value = scaled(value, positive);
    } else if (MODE == WITHOUT_SLOPE) {
      value = 0;
    } else { /* alpha holds one slope for each channel, and channels are innermost */
      value = scaled(value * (slope[i % alpha->bytes] - alpha->params.zero_point), negative);
    }
    value += output->params.zero_point;
    y[i] = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
  }
  return kOk;
}

static void *kernel_init(Context *context, const char *buffer, size_t length) {
  (void)length;
  const IntArray *nodes = ((const DelegateParams *)buffer)->nodes_to_replace;
  Kernel *kernel = malloc(sizeof(Kernel) + (size_t)nodes->size * sizeof(Prelu));
  if (!kernel) return NULL;
  kernel->count = nodes->size;
  for (int i = 0; i < nodes->size; i++) {
    Node *node;
    Registration *registration;
    context->GetNodeAndRegistration(context, nodes->data[i], &node, &registration);
    kernel->each[i] = (Prelu){node->inputs->data[0], node->inputs->data[1], node->outputs->data[0]};
  }
  return kernel;
}

static void kernel_free(Context *context, void *kernel) {
  (void)context;
  free(kernel);
}

static Status kernel_prepare(Context *context, Node *node) {
  (void)context;
  return node->user_data ? kOk : kError;
}

static Status kernel_invoke(Context *context, Node *node) {
  const Kernel *kernel = node->user_data;
  for (int i = 0; i < kernel->count; i++) {
    if (run(context, &kernel->each[i]) != kOk) return kError;
  }
  return kOk;
}

static bool is_int8_prelu(Context *context, int number) {
  Node *node;
  Registration *registration;
  if (context->GetNodeAndRegistration(context, number, &node, &registration) != kOk) return false;
  return registration->builtin_code == kPrelu && context->tensors[node->inputs->data[0]].type == kInt8;
}

static Status prepare(Context *context, Delegate *delegate) {
  if (MODE == NOT_PREPARED) {
    context->ReportError(context, "the test delegate refuses the graph");
    return kError;
  }
  IntArray *plan;
  if (context->GetExecutionPlan(context, &plan) != kOk) return kError;
  IntArray *claimed = malloc(sizeof(IntArray) + (size_t)plan->size * sizeof(int));
  if (!claimed) return kError;
  claimed->size = 0;
  for (int i = 0; i < plan->size && MODE != TAKES_NOTHING; i++) {
    if (is_int8_prelu(context, plan->data[i])) claimed->data[claimed->size++] = plan->data[i];
  }
  Registration kernel = {.init = kernel_init, .free = kernel_free, .prepare = kernel_prepare,
                         .invoke = kernel_invoke, .custom_name = "TestDelegate", .version = 1};
  Status status = kOk;
  if (claimed->size) status = context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, claimed, delegate);
  free(claimed);
  return status;
}

Delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t options, void (*report)(const char *)) {
  (void)keys;
  (void)values;
  (void)options;
  if (MODE == NOT_CREATED) {
    if (report) report("no device is attached");
    return NULL;
  }
  Delegate *delegate = calloc(1, sizeof(Delegate));
  if (delegate) delegate->Prepare = prepare;
  return delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) { free(delegate); }
