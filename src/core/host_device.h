// Functions that the processor and a GPU compute alike.
#pragma once

#ifdef __CUDACC__
#define DISCO_HOST_DEVICE __host__ __device__
#else
#define DISCO_HOST_DEVICE
#endif
