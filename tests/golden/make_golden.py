#!/usr/bin/env python3
"""Computes the golden files with the plain-PyTorch reference (reference.py), in double precision on one thread.

    /usr/bin/python3 tests/golden/make_golden.py            # writes *.safetensors to this folder
    /usr/bin/python3 tests/golden/make_golden.py --check    # recomputes them and compares with the stored files

Inputs (images, weights, output gradients) are stored as F32. This is exact, because they are rounded to F32 before
use. Labels are I64, and images of the training runs are U8 (the networks get x / 127.5 - 1). Results are F64. --check
requires equal names, shapes and inputs. Results must agree to 1e-11 of the largest value of their tensor: their last
bits depend on the processor and the BLAS. README.md describes each file.

Names of parameters (N output units, I inputs):
    d.conv1.v ... d.conv7.v   N x I x kh x kw        direction of the weight-normalized convolutions of D (Table 1)
    d.nin1.v, d.nin2.v        N x I x 1 x 1
    d.dense.v                 N x I
    *.g, *.b                  N                      gain and bias of a weight-normalized layer: W = g v / ||v||
    d.se.w1, d.se.w2          C/16 x C, C x C/16     squeeze-and-excitation after conv6; se_block1: after conv3;
                                                     se_conv256: after conv7; b1, b2 with biases (A4)
    g.dense.w                 512 (S/8)^2 x Z        unit c (S/8)^2 + y (S/8) + x is channel c at row y, column x
    g.bn0.weight, .bias, .running_mean, .running_var  512 (S/8)^2; bn1 and bn2 have one value per channel
    g.deconv1.w, g.deconv2.w  I x N x 5 x 5          as in ConvTranspose2d
    g.deconv3.v, .g, .b       I x N x 5 x 5, N, N    one norm per output channel n, over v[:, n]
"""
import argparse
import pathlib
import random
import sys

import torch

import reference
import safetensors_file

STEPS = 10


class GoldenFile:
    """The tensors of one file. Each file has its own random generator for its inputs."""

    def __init__(self, name):
        self.name, self.tensors, self.random = name, {}, random.Random(name)

    def given(self, name, tensor):
        """Stores an input rounded to single precision, and returns the rounded tensor."""
        self.tensors[name] = tensor.detach().float()
        return self.tensors[name].double()

    def uniform(self, name, shape, low=-1.0, high=1.0):
        count = torch.Size(shape).numel()
        return self.given(name, torch.tensor([self.random.uniform(low, high) for _ in range(count)]).view(shape))

    def integers(self, name, shape, high, dtype=torch.int64):
        count = torch.Size(shape).numel()
        self.tensors[name] = torch.tensor([self.random.randrange(high) for _ in range(count)], dtype=dtype).view(shape)
        return self.tensors[name]

    def result(self, name, tensor):
        self.tensors[name] = torch.as_tensor(tensor, dtype=torch.float64).detach().clone()

    def draw(self, network, prefix):
        """Draws every parameter and buffer of a network, and stores each as `prefix` + name."""
        ranges = {"v": (-0.5, 0.5), "w": (-0.5, 0.5), "g": (0.5, 1.5), "b": (-0.2, 0.2), "w1": (-0.5, 1.0),
                  "w2": (-1.0, 1.0), "b1": (-0.2, 0.2), "b2": (-0.2, 0.2), "weight": (0.5, 1.5), "bias": (-0.2, 0.2),
                  "running_mean": (-0.5, 0.5), "running_var": (0.5, 1.5)}
        for name, value in network.state_dict().items():
            value.copy_(self.uniform(prefix + name, value.shape, *ranges[name.split(".")[-1]]))

    def initialize(self, network, prefix, run):
        """Applies data-dependent initialization, rounds the result, and stores it as input."""
        reference.initialize(network, run)
        for name, value in network.state_dict().items():
            value.copy_(self.given(prefix + name, value))


def assert_close(found, expected):
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def gradients(total, tensors):
    """Returns {name: d total / d tensor}."""
    return dict(zip(tensors, torch.autograd.grad(total, list(tensors.values()))))


def layers():
    file = GoldenFile("layers")

    def differentiate(name, inputs, function):
        """Stores the output y of a layer, and the gradients of sum(y dy) with respect to its inputs and parameters."""
        inputs = {key: value.requires_grad_() for key, value in inputs.items()}
        y = function(**inputs)
        dy = file.uniform(f"{name}.dy", y.shape)
        file.result(f"{name}.y", y)
        for key, gradient in gradients((y * dy).sum(), inputs).items():
            file.result(f"{name}.d{key}", gradient)

    def weight_norm(name, layer, shape):
        x = file.uniform(f"{name}.x", shape)
        file.draw(layer, f"{name}.")
        differentiate(name, {"x": x, **dict(layer.named_parameters())}, lambda x, **_: layer(x))

    weight_norm("conv_same", reference.wn_conv(3, 4, 3, 1, 1), [2, 3, 5, 5])
    weight_norm("conv_stride2", reference.wn_conv(3, 4, 3, 2, 1), [2, 3, 6, 6])
    weight_norm("conv_valid", reference.wn_conv(3, 4, 3), [2, 3, 5, 5])
    weight_norm("nin", reference.wn_conv(5, 4, 1), [2, 5, 3, 3])
    weight_norm("wn_dense", reference.wn_dense(6, 4), [3, 6])
    weight_norm("wn_deconv", reference.wn_deconv(4, 3), [2, 4, 3, 3])

    def given(name, **shapes):
        return {key: file.uniform(f"{name}.{key}", shape) for key, shape in shapes.items()}

    differentiate("dense", given("dense", x=[3, 6], w=[4, 6]), lambda x, w: x @ w.t())
    differentiate("deconv", given("deconv", x=[2, 4, 3, 3], w=[4, 3, 5, 5]), reference.deconv)
    differentiate("leaky_relu", given("leaky_relu", x=[4, 5]),
                  lambda x: torch.nn.functional.leaky_relu(x, reference.SLOPE))
    differentiate("global_pool", given("global_pool", x=[2, 3, 4, 4]), lambda x: x.mean([2, 3]))

    for name, bias in (("se", False), ("se_bias", True)):
        block = reference.SqueezeExcitation(32, 2, bias)
        x = file.uniform(f"{name}.x", [2, 32, 2, 2])
        file.draw(block, f"{name}.")
        differentiate(name, {"x": x, **dict(block.named_parameters())}, lambda x, **_: block(x))

    for name, shape in (("batch_norm_dense", [4, 6]), ("batch_norm_map", [3, 2, 4, 4])):
        norm = reference.BatchNorm(shape[1])
        x = file.uniform(f"{name}.x", shape, -2, 2)
        file.draw(norm, f"{name}.")
        file.result(f"{name}.y_running", norm(x, "running"))
        differentiate(name, {"x": x, **dict(norm.named_parameters())}, lambda x, **_: norm(x, "update"))
        file.result(f"{name}.running_mean_after", norm.running_mean)
        file.result(f"{name}.running_var_after", norm.running_var)
    return file


def discriminator(image, channels, classes, batch):
    file = GoldenFile(f"discriminator_{image}x{channels}_k{classes}")
    x = file.uniform("x", [batch, channels, image, image])
    network = reference.Discriminator(channels, classes, 1 / 16)
    file.draw(network, "d.")
    file.initialize(network, "d.", lambda: network(x))
    logits, features = network(x.requires_grad_())
    dlogits, dfeatures = file.uniform("dlogits", logits.shape), file.uniform("dfeatures", features.shape)
    file.result("logits", logits)
    file.result("features", features)
    total = (logits * dlogits).sum() + (features * dfeatures).sum()
    inputs = {"x": x, **{f"d.{name}": p for name, p in network.named_parameters()}}
    for name, gradient in gradients(total, inputs).items():
        file.result(f"gradient.{name}", gradient)
    return file


def discriminator_variants():
    """The options of A2 to A4 with one set of weights. A variant uses the weights of its own SE blocks only."""
    file = GoldenFile("discriminator_variants")
    x = file.uniform("x", [3, 1, 16, 16])
    places = tuple(reference.Discriminator.SE_NAMES)
    complete = reference.Discriminator(1, 3, 1 / 16, places, se_bias=True)
    file.draw(complete, "d.")
    file.initialize(complete, "d.", lambda: complete(x))
    variants = {"none": {"se": ()}, "block1": {"se": ("block1",)}, "block2": {}, "all": {"se": places},
                "after_conv256": {"se": ("after_conv256",)}, "bias": {"se_bias": True}, "max": {"downsample": "max"}}
    for name, options in variants.items():
        network = reference.Discriminator(1, 3, 1 / 16, **options)
        network.load_state_dict(complete.state_dict(), strict=False)
        logits, features = network(x)
        file.result(f"{name}.logits", logits)
        file.result(f"{name}.features", features)
    return file


def network(name, built):
    """A classifier with the names of src/frgan/nn: with running statistics, then a training pass with those of the batch,
    its gradients, and the running statistics after it."""
    file = GoldenFile(f"network_{name}")
    x = file.uniform("x", [4, 1, 16, 16])
    for key, value in built.state_dict().items():
        positive = key.endswith(("gain", "running_var")) or (key.endswith("weight") and value.dim() == 1)
        value.copy_(file.uniform(f"n.{key}", value.shape, *((0.5, 1.5) if positive else (-0.5, 0.5))))
    file.result("logits_running", built(x, None)[0])
    file.result("features_running", built(x, None)[1])
    logits, features = built(x.requires_grad_(), 3)
    dlogits, dfeatures = file.uniform("dlogits", logits.shape), file.uniform("dfeatures", features.shape)
    file.result("logits", logits)
    file.result("features", features)
    total = (logits * dlogits).sum() + (features * dfeatures).sum()
    for key, gradient in gradients(total, {"x": x, **{f"n.{key}": p for key, p in built.named_parameters()}}).items():
        file.result(f"gradient.{key}", gradient)
    for key, value in built.named_buffers():
        file.result(f"after.n.{key}", value)
    return file


def generator(image, channels, width):
    file = GoldenFile(f"generator_{image}x{channels}")
    z = file.uniform("z", [3, 8])
    network = reference.Generator(image, channels, 8, width)
    file.draw(network, "g.")
    file.result("y_running", network(z[:1], "running"))  # for the first noise vector only
    y = network(z.requires_grad_(), "update")
    dy = file.uniform("dy", y.shape)
    file.result("y", y)
    inputs = {"z": z, **{f"g.{name}": p for name, p in network.named_parameters()}}
    for name, gradient in gradients((y * dy).sum(), inputs).items():
        file.result(f"gradient.{name}", gradient)
    for name, value in network.named_buffers():
        file.result(f"after.g.{name}", value)
    return file


def initialization():
    """Gains and biases after data-dependent initialization (A31), and the outputs of the initialized networks."""
    file = GoldenFile("initialization")
    x, z = file.uniform("x", [4, 1, 16, 16]), file.uniform("z", [4, 8])
    d, g = reference.Discriminator(1, 10, 1 / 16), reference.Generator(16, 1, 8, 1 / 64)
    file.draw(d, "d.")
    file.draw(g, "g.")
    reference.initialize(d, lambda: d(x))
    reference.initialize(g, lambda: g(z, "batch"))
    for prefix, network in (("d.", d), ("g.", g)):
        for name, value in network.named_parameters():
            if name.endswith((".g", ".b")):
                file.result(f"after.{prefix}{name}", value)
    file.result("logits", d(x)[0])
    file.result("images", g(z, "batch"))
    return file


def losses():
    file = GoldenFile("losses")

    def loss(name, function, **inputs):
        """Stores the value of a loss and its gradients with respect to its named inputs (features, logits)."""
        inputs = {key: value.clone().requires_grad_() for key, value in inputs.items()}
        value = function(**inputs)
        file.result(f"{name}.value", value)
        for key, tensor in inputs.items():
            gradient, = torch.autograd.grad(value, tensor, retain_graph=True, allow_unused=True)
            file.result(f"{name}.d{key}", torch.zeros_like(tensor) if gradient is None else gradient)

    def plain_d(logits):
        """D = 1 - p(K + 1), from a plain softmax over K + 1 logits, the last of which is 0."""
        return 1 - torch.softmax(torch.cat([logits, torch.zeros(len(logits), 1)], 1), 1)[:, -1]

    for k, scale in ((10, 3), (3, 3), ("extreme", 500)):
        classes = k if k != "extreme" else 4
        first = file.uniform(f"k{k}.first", [5, classes], -scale, scale)
        second = file.uniform(f"k{k}.second", [5, classes], -scale, scale)
        labels = file.integers(f"k{k}.labels", [5], classes)
        some = file.tensors[f"k{k}.some_labels"] = torch.where(torch.arange(5) % 2 == 0, labels, torch.tensor(-1))
        loss(f"k{k}.supervised", lambda logits: reference.supervised(logits, labels), logits=first)
        loss(f"k{k}.supervised_mixed", lambda logits: reference.supervised(logits, some), logits=first)
        for name in ("adversarial_real", "adversarial_fake", "nonsaturating", "saturating"):
            loss(f"k{k}.{name}", getattr(reference, name), logits=first)
        for weight in (0.5, 1.0):
            loss(f"k{k}.adversarial_weight_{weight}", lambda real, fake: weight * (
                reference.adversarial_real(real) + reference.adversarial_fake(fake)), real=first, fake=second)
        for target in ("probabilities", "logits"):
            for reduction in ("mean", "sum_classes"):
                for stop in (False, True):
                    loss(f"k{k}.consistency_{target}_{reduction}{'_stop' if stop else ''}",
                         lambda first, second: reference.consistency(first, second, target, reduction, stop),
                         first=first, second=second)
        if k != "extreme":
            d_first, d_second = plain_d(first), plain_d(second)
            assert_close(reference.adversarial_real(first), -d_first.log().mean())
            assert_close(reference.adversarial_fake(second), -(1 - d_second).log().mean())

    real, fake = file.uniform("features.real", [5, 8]), file.uniform("features.fake", [5, 8])
    for reduction in ("mean", "sum_classes"):
        loss(f"features.consistency_{reduction}",
             lambda real, fake: reference.consistency(real, fake, "features", reduction), real=real, fake=fake)
    loss("features.feature_matching", reference.feature_matching, real=real, fake=fake)
    logits = file.tensors["k10.first"].double()
    loss("features.feature_matching_nonsaturating", lambda logits, fake: reference.feature_matching(real, fake)
         + reference.nonsaturating(logits), logits=logits, fake=fake)

    # Eleven logits: ten classes and "generated" (A23). All losses use the first ten minus the last.
    explicit, labels = file.uniform("explicit.logits", [5, 11], -3, 3), file.integers("explicit.labels", [5], 10)
    other = file.uniform("explicit.other", [5, 11], -3, 3)
    loss("explicit.supervised", lambda logits: reference.supervised(reference.class_logits(logits, True), labels),
         logits=explicit)
    for name in ("adversarial_real", "adversarial_fake", "nonsaturating"):
        loss(f"explicit.{name}", lambda logits: getattr(reference, name)(reference.class_logits(logits, True)),
             logits=explicit)
    loss("explicit.consistency", lambda first, second: reference.consistency(
        reference.class_logits(first, True), reference.class_logits(second, True)), first=explicit, second=other)
    generated = torch.softmax(explicit, 1)[:, -1]
    assert_close(reference.adversarial_fake(reference.class_logits(explicit, True)), -generated.log().mean())
    return file


def pseudo_label():
    """Two thresholds, of which the second is reached by some images only."""
    file = GoldenFile("pseudo_label")
    weak = file.uniform("weak", [12, 5], -3, 3).requires_grad_()
    strong = file.uniform("strong", [12, 5], -3, 3).requires_grad_()
    for name, threshold in (("low", 0.0), ("high", 0.6)):
        loss, confident = reference.pseudo_label(weak, strong, threshold)
        file.result(f"{name}.loss", loss)
        file.result(f"{name}.confident", confident)
        file.result(f"{name}.gradient", torch.autograd.grad(loss, strong)[0])
    return file


def m1m2():
    """M1+M2 with one hidden layer in each network: the terms of both stages, and the gradients of their sums."""
    file = GoldenFile("m1m2")
    values, latent, class_latent, classes, units1, units2 = 256, 4, 3, 3, 8, 6
    m1 = reference.M1(values, latent, units1)
    m2 = reference.M2(values, latent, class_latent, classes, units1, units2)

    def draw(network, prefix):
        for key, value in network.state_dict().items():
            value.copy_(file.uniform(prefix + key, value.shape, *((0.5, 1.5) if key.endswith("gain") else (-0.5, 0.5))))

    draw(m1, "m1.")
    draw(m2, "m2.")
    for layer in ("hidden1", "gaussian"):
        for key, value in getattr(m1.encoder, layer).state_dict().items():
            getattr(m2.classifier, f"m1_{layer}").state_dict()[key].copy_(file.given(f"m2.classifier.m1_{layer}.{key}", value))
    images, noise = file.uniform("images", [4, 1, 16, 16]), file.uniform("noise", [4, latent], -2, 2)
    terms = m1.losses(images, noise)
    for name, term in zip(("reconstruction", "latent_kl"), terms):
        file.result(name, term)
    for key, gradient in gradients(sum(terms), {f"m1.{key}": p for key, p in m1.named_parameters()}).items():
        file.result(f"gradient.{key}", gradient)

    labels = file.integers("labels", [3], classes)
    labeled, unlabeled = file.uniform("labeled", [3, 1, 16, 16]), file.uniform("unlabeled", [4, 1, 16, 16])
    labeled_noise = file.uniform("labeled_noise", [3, latent + class_latent], -2, 2)
    unlabeled_noise = file.uniform("unlabeled_noise", [4, latent + class_latent], -2, 2)
    z1 = []
    for x, noise in ((labeled, labeled_noise), (unlabeled, unlabeled_noise)):
        q = m1.encoder(x.flatten(1)).base_dist
        z1.append((q.loc + q.scale * noise[:, :latent]).detach())
    terms = m2.losses(z1[0], labels, labeled_noise[:, latent:], z1[1], unlabeled_noise[:, latent:])
    for name, term in zip(("supervised", "labeled_bound", "unlabeled_bound"), terms):
        file.result(name, term)
    trained = {f"m2.{key}": p for key, p in m2.named_parameters() if ".m1_" not in key}
    for key, gradient in gradients(sum(terms), trained).items():
        file.result(f"gradient.{key}", gradient)
    return file


def schedules():
    """Schedules over a run of 1,000 steps, both forms of Adam, and the three forms of the weight average."""
    file = GoldenFile("schedules")
    progress = [step / 1000 for step in range(1000)]
    for shape in ("gaussian", "linear"):
        file.result(f"ramp_up.{shape}", [reference.ramp_up(p, shape) for p in progress])
    file.result("learning_rate", [reference.learning_rate(p) for p in progress])
    steps = [0, 1, 2, 9, 100, 1000, 89989, 89990, 89991, 200000]
    file.tensors["average_decay.step"] = torch.tensor(steps)
    file.result("average_decay", [reference.average_decay(step) for step in steps])

    start, slopes = file.uniform("adam.start", [6]), file.uniform("adam.gradients", [STEPS, 6])
    slopes = file.given("adam.gradients", slopes * torch.tensor([1, 1, 1e-3, 1e-6, 1e-9, 0], dtype=torch.float64))
    rates = torch.tensor([3e-4 * reference.learning_rate(step / STEPS) for step in range(STEPS)])
    file.result("adam.rates", rates)
    for name, inside in (("adam", False), ("adam_inside_root", True)):
        p = start.clone().requires_grad_()
        adam = reference.Adam({"p": p}, inside_root=inside)
        path = []
        for rate, gradient in zip(rates, slopes):
            p.grad = gradient
            adam.step(float(rate))
            path.append(p.detach().clone())
        file.result(f"{name}.parameters", torch.stack(path))
        file.result(f"{name}.m", adam.m["p"])
        file.result(f"{name}.v", adam.v["p"])
    check_adam(start, slopes, rates, file.tensors["adam.parameters"])

    # Averages of adam.parameters that start at adam.start; "from_zero" starts at 0 and is divided by 1 - decay^t.
    p = start.clone()
    changing, fixed = reference.WeightAverage({"p": p}), reference.WeightAverage({"p": p})
    zero, decay = reference.WeightAverage({"p": torch.zeros_like(p)}), 0.9
    changing.parameters = fixed.parameters = zero.parameters = {"p": p}
    rows = {"changing": [], "fixed": [], "from_zero": []}
    for step, values in enumerate(file.tensors["adam.parameters"]):
        p.copy_(values)
        changing.update(reference.average_decay(step))
        fixed.update(decay)
        zero.update(decay)
        rows["changing"].append(changing.values["p"])
        rows["fixed"].append(fixed.values["p"])
        rows["from_zero"].append(zero.values["p"] / (1 - decay ** (step + 1)))
    for name, values in rows.items():
        file.result(f"average.{name}", torch.stack(values))
    return file


def check_adam(start, slopes, rates, expected):
    """Checks that the reference's Adam equals PyTorch's."""
    p = start.clone().requires_grad_()
    adam = torch.optim.Adam([p], betas=(0.5, 0.999), eps=1e-8)
    for rate, gradient, row in zip(rates, slopes, expected):
        adam.param_groups[0]["lr"] = float(rate)
        p.grad = gradient
        adam.step()
        assert_close(p.detach(), row)


class Training:
    """Networks, images and schedules of ten steps: grayscale 16x16, ten classes, batch size 4, width 1/32."""

    def __init__(self):
        file = self.file = GoldenFile("training_inputs")
        images = {name: file.integers(name, [STEPS, 4, 1, 16, 16], 256, torch.uint8)
                    for name in ("labeled", "unlabeled_branch1", "unlabeled_branch2", "unlabeled_generator")}
        self.images = {name: value.double() / 127.5 - 1 for name, value in images.items()}
        self.labels = file.integers("labels", [STEPS, 4], 10)
        self.noise_d = file.uniform("noise_discriminator", [STEPS, 4, 8])
        self.noise_g = file.uniform("noise_generator", [STEPS, 4, 8])
        rates, weights = self.schedules(STEPS)
        file.result("learning_rate", rates)
        file.result("consistency_weight", weights)
        file.result("average_decay", [reference.average_decay(update) for update in range(STEPS)])
        d, g = self.networks()
        file.draw(d, "initial.d.")
        file.draw(g, "initial.g.")
        file.initialize(d, "initial.d.", lambda: d(self.images["labeled"][0]))
        file.initialize(g, "initial.g.", lambda: g(self.noise_d[0], "batch"))
        for name, gain in (("initial.d.dense.g", d.dense.g), ("initial.g.deconv3.g", g.deconv3.g)):
            gain.data.copy_(file.given(name, 8 * gain))  # larger gains, so that losses and tanh are not nearly linear
        self.initial = d.state_dict(), g.state_dict()

    @staticmethod
    def networks():
        return reference.Discriminator(1, 10, 1 / 32), reference.Generator(16, 1, 8, 1 / 32)

    @staticmethod
    def schedules(steps):
        """Learning rate and consistency weight of each step in a run of `steps` steps."""
        return ([3e-4 * reference.learning_rate(step / steps) for step in range(steps)],
                [30 * reference.ramp_up(step / steps, start=0.05, end=0.6) for step in range(steps)])

    def run(self, method, k=1):
        """Runs the Algorithm without dropout for ten updates of the discriminator, k per step. `method` is fr-gan,
        fr-gan-fm (feature matching) or supervised. Losses are logged unweighted, their total weighted."""
        file = GoldenFile(f"training_{method}" + (f"-k{k}" if k > 1 else ""))
        rates, weights = self.schedules(STEPS // k)
        d, g = self.networks()
        d.load_state_dict(self.initial[0])
        g.load_state_dict(self.initial[1])
        adam_d, adam_g = reference.Adam(d.named_parameters()), reference.Adam(g.named_parameters())
        average = reference.WeightAverage(d.named_parameters())
        log = {}

        def update(adam, player, terms, rate):
            total = sum(weight * value for weight, value in terms.values())
            for name, (_, value) in list(terms.items()) + [("total", (1, total))]:
                log.setdefault(f"loss.{player}.{name}", []).append(float(value))
            for name, gradient in gradients(total, adam.parameters).items():
                adam.parameters[name].grad = gradient
            adam.step(rate)

        for step in range(STEPS // k):
            for draw in range(k * step, k * (step + 1)):
                terms = {"supervised": (1.0, reference.supervised(d(self.images["labeled"][draw])[0],
                                                                  self.labels[draw]))}
                if method != "supervised":
                    with torch.no_grad():
                        generated = g(self.noise_d[draw], "batch")  # no gradient; running statistics do not change
                    first = d(self.images["unlabeled_branch1"][draw])[0]
                    second = d(self.images["unlabeled_branch2"][draw])[0]
                    terms["adversarial_real"] = 1.0, reference.adversarial_real(first)  # branch 1 only (A25)
                    terms["adversarial_fake"] = 1.0, reference.adversarial_fake(d(generated)[0])
                    terms["consistency"] = weights[step], reference.consistency(first, second)
                update(adam_d, "discriminator", terms, rates[step])
                average.update(reference.average_decay(draw))
            if method != "supervised":
                logits, features = d(g(self.noise_g[step], "update"))
                if method == "fr-gan":
                    terms = {"nonsaturating": (1.0, reference.nonsaturating(logits))}
                else:
                    real = d(self.images["unlabeled_generator"][step])[1]
                    terms = {"feature_matching": (1.0, reference.feature_matching(real, features))}
                update(adam_g, "generator", terms, rates[step])

        for name, values in log.items():
            file.result(name, values)
        for name, value in average.values.items():
            file.result(f"average.d.{name}", value)
        players = [("d.", d, adam_d)] + ([("g.", g, adam_g)] if method != "supervised" else [])
        for prefix, network, adam in players:
            for name, value in network.state_dict().items():
                file.result(f"final.{prefix}{name}", value)
            for name in adam.parameters:
                file.result(f"adam_m.{prefix}{name}", adam.m[name])
                file.result(f"adam_v.{prefix}{name}", adam.v[name])
        return file


def all_files():
    training = Training()
    yield from (layers(), discriminator(16, 1, 3, batch=3), discriminator(32, 3, 10, batch=2),
                discriminator_variants(), generator(16, 1, 1 / 32), generator(32, 3, 1 / 64), initialization(),
                losses(), schedules(), training.file)
    yield from (network("conv-large", reference.ConvLarge(1, 3, 1 / 32, batch_norm=False)),
                network("conv-large-bn", reference.ConvLarge(1, 3, 1 / 32, batch_norm=True)),
                network("wrn-28-2", reference.WideResNet(1, 3, 1 / 16)),
                network("mlp", reference.Mlp(16 * 16, 3, 16)), pseudo_label(), m1m2())
    yield from (training.run(method) for method in ("fr-gan", "fr-gan-fm", "supervised"))
    yield training.run("fr-gan", k=2)


def differences(name, made, stored, tolerance):
    """Yields one line for each difference between the recomputed and the stored tensors."""
    for missing in sorted(made.keys() ^ stored.keys()):
        yield f"{name}: {missing} is only in the {'recomputed' if missing in made else 'stored'} file"
    for key in sorted(made.keys() & stored.keys()):
        new, old = made[key], stored[key]
        if new.shape != old.shape or new.dtype != old.dtype:
            yield f"{name}: stored {key} is {old.dtype} {list(old.shape)}, expected {new.dtype} {list(new.shape)}"
        elif new.dtype != torch.float64:
            if not torch.equal(new, old):
                yield f"{name}: inputs of {key} differ"
        elif not (new - old).abs().max() <= tolerance * new.abs().max() + 1e-15:
            yield f"{name}: {key} differs by {(new - old).abs().max():.3g}"


def make_or_check(all_files, made_by, tolerance):
    """Command line of a script that computes golden files. `tolerance` is relative to the largest value of a tensor."""
    parser = argparse.ArgumentParser(description="Computes or checks the golden files.")
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)

    failures = []
    for file in all_files():
        path = arguments.folder / f"{file.name}.safetensors"
        if arguments.check:
            failures += differences(file.name, file.tensors, safetensors_file.read(path), tolerance)
        else:
            safetensors_file.write(path, file.tensors, {"made_by": made_by})
    print("\n".join(failures) or "golden files " + ("match" if arguments.check else "written"))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    make_or_check(all_files, "tests/golden/make_golden.py", tolerance=1e-11)
