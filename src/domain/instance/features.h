/* The features of this house, for the instance. */
#ifndef DOMAIN_INSTANCE_FEATURES_H
#define DOMAIN_INSTANCE_FEATURES_H
#include "domain/core/feature.h"

extern const struct feature *const features[];
extern const unsigned feature_count;

#endif
