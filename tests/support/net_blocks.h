/*
 * Small copies of what the torchvision classifiers are made of, one network a kind of block. 3x8x8 in, 5 classes out.
 */
#ifndef PARE_TESTS_SUPPORT_NET_BLOCKS_H
#define PARE_TESTS_SUPPORT_NET_BLOCKS_H

#include "engine/graph/graph.h"

struct pare_graph *test_net_bottleneck(void);        /* ResNet-50 */
struct pare_graph *test_net_resnext(void);           /* grouped bottleneck */
struct pare_graph *test_net_inverted_residual(void); /* MobileNetV3: hard swish, squeeze-and-excitation */
struct pare_graph *test_net_shuffle(void);           /* ShuffleNetV2: a unit with stride, two without */
struct pare_graph *test_net_shuffle_groups(void);    /* ShuffleNetV1: a shuffle behind a grouped convolution */
struct pare_graph *test_net_fire(void);              /* SqueezeNet */
struct pare_graph *test_net_densenet(void);          /* bottleneck layers, transition with average pooling */
struct pare_graph *test_net_inception(void);         /* 1x7 and 7x1 convolutions, pooling branch */
struct pare_graph *test_net_mbconv(void);            /* EfficientNet: SiLU, squeeze-and-excitation, dropout */
struct pare_graph *test_net_regnet_y(void);          /* grouped, squeeze-and-excitation */
struct pare_graph *test_net_convnext(void); /* layer norm, linear layers on channels-last features, layer scale */
struct pare_graph *test_net_convnext_spelt_out(void); /* the same with layer norms as exporters write them */
struct pare_graph *test_net_mixer(void);              /* linear layers along pixels and along channels */
struct pare_graph *test_net_spatial_gate(void);       /* one number a pixel */
struct pare_graph *test_net_shared(void);             /* one convolution in two places */

#endif
