"""FR-GAN in plain PyTorch: the reference against which the C++ is tested.

Written from the paper (equations, Table 1 and Algorithm) and PyTorch's documentation, with autograd and without
optimizations. It shares no code with src/frgan. A1, A2, ... are readings of the paper's ambiguities (docs/paper.md).
"""
import math

import torch
import torch.nn.functional as F
from torch import distributions, nn

SLOPE = 0.2  # of leaky ReLU (A19)


class WeightNorm(nn.Module):
    """y = function(x, W) + b with W = g v / ||v||, and one gain, bias and norm per output unit."""

    def __init__(self, shape, output_axis, function):
        super().__init__()
        units = shape[output_axis]
        self.v = nn.Parameter(torch.empty(shape))
        self.g = nn.Parameter(torch.ones(units))
        self.b = nn.Parameter(torch.zeros(units))
        self.function = function
        self.norm_axes = [axis for axis in range(len(shape)) if axis != output_axis]
        self.gain_shape = [units if axis == output_axis else 1 for axis in range(len(shape))]

    def forward(self, x):
        norm = self.v.pow(2).sum(self.norm_axes, keepdim=True).sqrt()
        return self.function(x, self.g.view(self.gain_shape) * self.v / norm, self.b)

    def initialize(self, x, deviation):
        """Sets g and b so that the outputs for x have mean 0 and the given standard deviation in each unit (A31)."""
        with torch.no_grad():
            self.g.fill_(1)
            self.b.fill_(0)
            y = self.forward(x)
            axes = [axis for axis in range(y.dim()) if axis != 1]
            mean = y.mean(axes)
            variance = y.var(axes, unbiased=False)
            self.g.copy_(deviation / variance.sqrt())
            self.b.copy_(-mean * self.g)


def wn_conv(inputs, outputs, kernel, stride=1, padding=0):
    return WeightNorm([outputs, inputs, kernel, kernel], 0,
                      lambda x, w, b: F.conv2d(x, w, b, stride=stride, padding=padding))


def wn_deconv(inputs, outputs):
    return WeightNorm([inputs, outputs, 5, 5], 1, deconv)


def wn_dense(inputs, outputs):
    return WeightNorm([outputs, inputs], 0, F.linear)


def deconv(x, w, b=None):
    """A 5x5 transposed convolution that doubles height and width."""
    return F.conv_transpose2d(x, w, b, stride=2, padding=2, output_padding=1)


class SqueezeExcitation(nn.Module):
    """Equation 11: each channel is multiplied by sigmoid(W2 relu(W1 mean)). Biases are an option (A4)."""

    def __init__(self, channels, hidden, bias=False):
        super().__init__()
        self.w1 = nn.Parameter(torch.empty(hidden, channels))
        self.w2 = nn.Parameter(torch.empty(channels, hidden))
        self.b1 = nn.Parameter(torch.zeros(hidden)) if bias else None
        self.b2 = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, u):
        hidden = F.relu(F.linear(u.mean([2, 3]), self.w1, self.b1))
        scale = torch.sigmoid(F.linear(hidden, self.w2, self.b2))
        return u * scale[:, :, None, None]


class Discriminator(nn.Module):
    """The discriminator of Table 1, without dropout. forward returns the logits (N x K) and the globally pooled
    features (N x 128 width).

    `se` is a tuple of positions of squeeze-and-excitation blocks (A3). `downsample` is how a block halves its image
    (A2): "stride" is stride 2 in its third convolution, "max" is a 2x2 max pool after that convolution's leaky ReLU.
    """

    SE_NAMES = {"block1": "se_block1", "block2": "se", "after_conv256": "se_conv256"}

    def __init__(self, channels, outputs, width=1.0, se=("block2",), se_bias=False, downsample="stride"):
        super().__init__()
        c64, c128, c256 = (int(n * width) for n in (64, 128, 256))
        stride = 2 if downsample == "stride" else 1
        self.conv1 = wn_conv(channels, c64, 3, 1, 1)
        self.conv2 = wn_conv(c64, c64, 3, 1, 1)
        self.conv3 = wn_conv(c64, c64, 3, stride, 1)
        self.conv4 = wn_conv(c64, c128, 3, 1, 1)
        self.conv5 = wn_conv(c128, c128, 3, 1, 1)
        self.conv6 = wn_conv(c128, c128, 3, stride, 1)
        self.conv7 = wn_conv(c128, c256, 3, 1, 0)
        self.nin1 = wn_conv(c256, c128, 1)
        self.nin2 = wn_conv(c128, c128, 1)
        self.dense = wn_dense(c128, outputs)
        self.downsample = downsample
        for place, width_there in (("block1", c64), ("block2", c128), ("after_conv256", c256)):
            if place in se:
                self.add_module(self.SE_NAMES[place],
                                SqueezeExcitation(width_there, max(1, width_there // 16), se_bias))

    def recalibrate(self, place, u):
        block = getattr(self, self.SE_NAMES[place], None)
        return u if block is None else block(u)

    def block(self, place, x, layers):
        for layer in layers:
            x = F.leaky_relu(layer(x), SLOPE)
        if self.downsample == "max":
            x = F.max_pool2d(x, 2)
        return self.recalibrate(place, x)

    def forward(self, x):
        x = self.block("block1", x, [self.conv1, self.conv2, self.conv3])
        x = self.block("block2", x, [self.conv4, self.conv5, self.conv6])
        x = self.recalibrate("after_conv256", F.leaky_relu(self.conv7(x), SLOPE))
        x = F.leaky_relu(self.nin1(x), SLOPE)
        x = F.leaky_relu(self.nin2(x), SLOPE)
        features = x.mean([2, 3])
        return self.dense(features), features


class BatchNorm(nn.Module):
    """Batch norm over axis 1 with gain and bias, epsilon 1e-5.

    `statistics` is "batch" (of this batch), "update" (the same, and updates the running statistics with momentum 0.1
    and the unbiased variance, as in PyTorch) or "running".
    """

    def __init__(self, units):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(units))
        self.bias = nn.Parameter(torch.zeros(units))
        self.register_buffer("running_mean", torch.zeros(units))
        self.register_buffer("running_var", torch.ones(units))

    def forward(self, x, statistics):
        mean, var = (None, None) if statistics == "batch" else (self.running_mean, self.running_var)
        return F.batch_norm(x, mean, var, self.weight, self.bias, statistics != "running", 0.1, 1e-5)


def tracked(running, batch, decay, updates):
    """The running statistics after update number `updates`, from 0: the decay is min(decay, (t + 1) / (t + 10))."""
    decay = min(decay, (updates + 1) / (updates + 10))
    return decay * running + (1 - decay) * batch


class ClassifierNorm(nn.Module):
    """Batch norm over axis 1. With `updates`, the statistics of the batch, and running statistics that are updated with
    the unbiased variance; without, the running statistics. The names are those of src/frgan/nn."""

    def __init__(self, units, decay, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(units))
        self.bias = nn.Parameter(torch.zeros(units))
        self.register_buffer("running_mean", torch.zeros(units))
        self.register_buffer("running_var", torch.ones(units))
        self.decay, self.epsilon = decay, epsilon

    def forward(self, x, updates):
        axes = [axis for axis in range(x.dim()) if axis != 1]
        shape = [1, -1] + [1] * (x.dim() - 2)
        mean, variance = self.running_mean, self.running_var
        if updates is not None:
            mean, variance = x.mean(axes), x.var(axes, unbiased=False)
            with torch.no_grad():
                self.running_mean.copy_(tracked(self.running_mean, mean, self.decay, updates))
                self.running_var.copy_(tracked(self.running_var, x.var(axes, unbiased=True), self.decay, updates))
        y = (x - mean.view(shape)) / (variance.view(shape) + self.epsilon).sqrt()
        return y * self.weight.view(shape) + self.bias.view(shape)


class MeanOnly(nn.Module):
    """y = function(x, W) - mean + bias with W = gain direction / ||direction|| (mean-only batch norm)."""

    def __init__(self, shape, function):
        super().__init__()
        self.direction = nn.Parameter(torch.empty(shape))
        self.gain = nn.Parameter(torch.ones(shape[0]))
        self.bias = nn.Parameter(torch.zeros(shape[0]))
        self.register_buffer("running_mean", torch.zeros(shape[0]))
        self.function = function

    def forward(self, x, updates):
        units = [-1] + [1] * (self.direction.dim() - 1)
        norm = self.direction.flatten(1).norm(dim=1)
        y = self.function(x, self.direction * (self.gain / norm).view(units))
        mean = self.running_mean
        if updates is not None:
            mean = y.mean([axis for axis in range(y.dim()) if axis != 1])
            with torch.no_grad():
                self.running_mean.copy_(tracked(self.running_mean, mean, 0.999, updates))
        return y + (self.bias - mean).view([1, -1] + [1] * (y.dim() - 2))


class NormedConvolution(nn.Module):
    def __init__(self, inputs, outputs, kernel, padding):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.norm = ClassifierNorm(outputs, 0.99, 1e-6)
        self.padding = padding

    def forward(self, x, updates):
        return self.norm(F.conv2d(x, self.weight, padding=self.padding), updates)


class Dense(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x, _updates):
        return F.linear(x, self.weight, self.bias)


class ConvLarge(nn.Module):
    """The 13-layer network of Laine & Aila (weight norm with mean-only batch norm) and VAT (batch norm), no dropout."""

    LAYERS = [("conv1", 128, 3, 1), ("conv2", 128, 3, 1), ("conv3", 128, 3, 1), ("conv4", 256, 3, 1), ("conv5", 256, 3, 1),
              ("conv6", 256, 3, 1), ("conv7", 512, 3, 0), ("nin1", 256, 1, 0), ("nin2", 128, 1, 0)]

    def __init__(self, channels, outputs, width, batch_norm):
        super().__init__()
        for name, maps, kernel, padding in self.LAYERS:
            maps = int(maps * width)
            if batch_norm:
                layer = NormedConvolution(channels, maps, kernel, padding)
            else:
                layer = MeanOnly([maps, channels, kernel, kernel], lambda x, w, p=padding: F.conv2d(x, w, padding=p))
            self.add_module(name, layer)
            channels = maps
        self.dense = Dense(channels, outputs) if batch_norm else MeanOnly([outputs, channels], F.linear)

    def forward(self, x, updates):
        for name, *_ in self.LAYERS:
            x = F.leaky_relu(getattr(self, name)(x, updates), 0.1)
            if name in ("conv3", "conv6"):
                x = F.max_pool2d(x, 2)
        features = x.mean([2, 3])
        return self.dense(features, updates), features


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, activates_first):
        super().__init__()
        self.activates_first = activates_first
        self.norm1, self.norm2 = ClassifierNorm(inputs, 0.999, 1e-5), ClassifierNorm(outputs, 0.999, 1e-5)
        self.weight1 = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.weight2 = nn.Parameter(torch.empty(outputs, outputs, 3, 3))
        self.shortcut = nn.Parameter(torch.empty(outputs, inputs, 1, 1)) if inputs != outputs else None
        self.stride = stride

    def forward(self, x, updates):
        first = F.leaky_relu(self.norm1(x, updates), 0.1)
        second = F.leaky_relu(self.norm2(F.conv2d(first, self.weight1, stride=self.stride, padding=1), updates), 0.1)
        if self.activates_first:
            x = first
        if self.shortcut is not None:
            x = F.conv2d(x, self.shortcut, stride=self.stride)
        return x + F.conv2d(second, self.weight2, padding=1)


class Convolution(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))

    def forward(self, x, _updates):
        return F.conv2d(x, self.weight, padding=1)


class WideResNet(nn.Module):
    """WRN-28-2: three groups of four pre-activation residual blocks."""

    def __init__(self, channels, outputs, width):
        super().__init__()
        maps = int(16 * width)
        self.conv = Convolution(channels, maps)
        for group, wider in enumerate((int(n * width) for n in (32, 64, 128)), 1):
            for block in range(1, 5):
                self.add_module(f"group{group}_block{block}",
                                ResidualBlock(maps, wider, 2 if group > 1 and block == 1 else 1, group == block == 1))
                maps = wider
        self.norm = ClassifierNorm(maps, 0.999, 1e-3)
        self.dense = Dense(maps, outputs)

    def forward(self, x, updates):
        for name, layer in self.named_children():
            if name not in ("norm", "dense"):
                x = layer(x, updates)
        features = F.leaky_relu(self.norm(x, updates), 0.1).mean([2, 3])
        return self.dense(features, updates), features


class HiddenDense(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.direction = nn.Parameter(torch.empty(outputs, inputs))
        self.gain = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        norm = self.direction.norm(dim=1, keepdim=True)
        return F.linear(x, self.gain[:, None] * self.direction / norm, self.bias)


class Mlp(nn.Module):
    """Two hidden layers with weight norm and leaky ReLU, without dropout."""

    def __init__(self, inputs, outputs, units):
        super().__init__()
        self.hidden1, self.hidden2 = HiddenDense(inputs, units), HiddenDense(units, units)
        self.dense = HiddenDense(units, outputs)

    def forward(self, x, _updates):
        x = F.leaky_relu(self.hidden1(x.flatten(1)), SLOPE)
        features = F.leaky_relu(self.hidden2(x), SLOPE)
        return self.dense(features), features


class GaussianMlp(nn.Module):
    """One hidden layer, and a layer to the means and log variances of a diagonal Gaussian."""

    def __init__(self, inputs, outputs, units):
        super().__init__()
        self.hidden1, self.gaussian = HiddenDense(inputs, units), HiddenDense(units, 2 * outputs)

    def forward(self, x):
        mean, log_variance = self.gaussian(F.leaky_relu(self.hidden1(x), SLOPE)).chunk(2, 1)
        return distributions.Independent(
            distributions.Normal(mean, (10 * torch.tanh(log_variance / 10) / 2).exp()), 1)


class M1(nn.Module):
    """The variational autoencoder of M1+M2."""

    def __init__(self, values, latent, units):
        super().__init__()
        self.encoder, self.decoder = GaussianMlp(values, latent, units), GaussianMlp(latent, values, units)

    def losses(self, images, noise):
        x = images.flatten(1)
        q = self.encoder(x)
        p = self.decoder(q.base_dist.loc + q.base_dist.scale * noise)
        return -p.log_prob(x).mean(), distributions.kl_divergence(q, standard_normal(q)).mean()


class M1M2Classifier(nn.Module):
    """q(z1|x), frozen, and q(y|z1)."""

    def __init__(self, values, latent, classes, units1, units2):
        super().__init__()
        self.m1_hidden1, self.m1_gaussian = HiddenDense(values, units1), HiddenDense(units1, 2 * latent)
        self.hidden1, self.dense = HiddenDense(latent, units2), HiddenDense(units2, classes)

    def forward(self, z1):
        return self.dense(F.leaky_relu(self.hidden1(z1), SLOPE))


class M2(nn.Module):
    """M2 of M1+M2. The marginal over the classes is a loop."""

    def __init__(self, values, latent, class_latent, classes, units1, units2):
        super().__init__()
        self.classes = classes
        self.classifier = M1M2Classifier(values, latent, classes, units1, units2)
        self.encoder = GaussianMlp(latent + classes, class_latent, units2)
        self.decoder = GaussianMlp(class_latent + classes, latent, units2)

    def bound(self, z1, labels, noise):
        """A lower bound of log p(z1, y)."""
        y = F.one_hot(labels, self.classes).double()
        q = self.encoder(torch.cat([z1, y], 1))
        p = self.decoder(torch.cat([q.base_dist.loc + q.base_dist.scale * noise, y], 1))
        prior = distributions.Categorical(logits=torch.zeros(self.classes, dtype=torch.float64))
        return p.log_prob(z1) + prior.log_prob(labels) - distributions.kl_divergence(q, standard_normal(q))

    def losses(self, z1_labeled, labels, noise_labeled, z1, noise):
        """The cross-entropy and the negated bounds of the labeled and the unlabeled images."""
        supervised = F.cross_entropy(self.classifier(z1_labeled), labels)
        labeled = -self.bound(z1_labeled, labels, noise_labeled).mean()
        q = distributions.Categorical(logits=self.classifier(z1))
        total = q.entropy()
        for y in range(self.classes):
            total = total + q.probs[:, y] * self.bound(z1, torch.full([len(z1)], y), noise)
        return supervised, labeled, -total.mean()


def standard_normal(like):
    mean = like.base_dist.loc
    return distributions.Independent(distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)


class Weight(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.w = nn.Parameter(torch.empty(shape))


class Generator(nn.Module):
    """The generator of Table 1: noise -> dense -> batch norm per unit -> ReLU -> map of size S/8 -> two deconvolutions
    with batch norm and ReLU -> deconvolution with weight norm and bias -> tanh (A5, A33). Layers before batch norm have
    no bias."""

    def __init__(self, image, channels, noise, width=1.0):
        super().__init__()
        c512, c256, c128 = (int(n * width) for n in (512, 256, 128))
        self.first = [c512, image // 8, image // 8]
        units = math.prod(self.first)
        self.dense = Weight(units, noise)
        self.bn0 = BatchNorm(units)
        self.deconv1 = Weight(c512, c256, 5, 5)
        self.bn1 = BatchNorm(c256)
        self.deconv2 = Weight(c256, c128, 5, 5)
        self.bn2 = BatchNorm(c128)
        self.deconv3 = wn_deconv(c128, channels)

    def forward(self, z, statistics):
        x = F.relu(self.bn0(F.linear(z, self.dense.w), statistics)).view([-1] + self.first)
        x = F.relu(self.bn1(deconv(x, self.deconv1.w), statistics))
        x = F.relu(self.bn2(deconv(x, self.deconv2.w), statistics))
        return torch.tanh(self.deconv3(x))


def initialize(network, run):
    """Data-dependent initialization (A31). `run` passes images or noise through the network once, and each weight-norm
    layer is initialized from its input. The standard deviation is 1, and 0.1 in the last layer of each network."""
    last = getattr(network, "deconv3", None) or network.dense
    hooks = [layer.register_forward_pre_hook(lambda layer, x: layer.initialize(x[0], 0.1 if layer is last else 1.0))
             for layer in network.modules() if isinstance(layer, WeightNorm)]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()


def softplus(x):
    """log(1 + e^x). F.softplus has an error of 1e-9 above its threshold of 20."""
    return -F.logsigmoid(-x)


def class_logits(logits, explicit_fake=False):
    """The K class logits minus the logit of "generated", which is 0 or the explicit last logit (A23)."""
    return logits[:, :-1] - logits[:, -1:] if explicit_fake else logits


def log_sum_exp(logits):
    return torch.logsumexp(logits, 1)


def supervised(logits, labels):
    """Equation 5: -log of the label's probability among the K classes. Rows with label -1 have no label, but count in
    the denominator of the mean, like |B| in the Algorithm (A13)."""
    chosen = labels >= 0
    return -F.log_softmax(logits[chosen], 1)[torch.arange(int(chosen.sum())), labels[chosen]].sum() / len(labels)


def adversarial_real(logits):
    """Equation 6, first term: -mean log D(x), D = Z / (Z + 1), Z = sum of exp(logits) (A6)."""
    return softplus(-log_sum_exp(logits)).mean()


def adversarial_fake(logits):
    """Equation 6, second term: -mean log(1 - D(G(z)))."""
    return softplus(log_sum_exp(logits)).mean()


def consistency(first, second, target="probabilities", reduction="mean", stop_gradient=False):
    """Equation 9 without w(t): the squared difference of the branches, averaged over images, and averaged or summed
    over classes (A10). For `target` "logits" and "features", the inputs are compared without a softmax (A9)."""
    if target == "probabilities":
        first, second = F.softmax(first, 1), F.softmax(second, 1)
    if stop_gradient:
        second = second.detach()
    square = (first - second) ** 2
    return square.mean() if reduction == "mean" else square.sum(1).mean()


def pseudo_label(weak, strong, threshold):
    """FixMatch's loss of unlabeled images, and the share of confident ones. The predictions for the weak view are
    constants."""
    total, confident = 0.0, 0
    for p, logits in zip(F.softmax(weak.detach(), 1), strong):
        if p.max() >= threshold:
            total = total - F.log_softmax(logits, 0)[p.argmax()]
            confident += 1
    return total / len(weak), torch.tensor(confident / len(weak))


def nonsaturating(logits):
    """-mean log D(G(z)) (A8)."""
    return softplus(-log_sum_exp(logits)).mean()


def saturating(logits):
    """mean log(1 - D(G(z))), the generator's side of the minimax game."""
    return -softplus(log_sum_exp(logits)).mean()


def feature_matching(real, fake):
    """The mean absolute difference of the batches' mean features. Real features are constants."""
    return (real.detach().mean(0) - fake.mean(0)).abs().mean()


def ramp_up(progress, shape="gaussian", start=1 / 900, end=80 / 900):
    """w(t) / w_max at a share of the planned steps: 0 until `start`, then exp(-5 (1 - T)^2) or T, up to 1 (A11, A28)."""
    if progress < start:
        return 0.0
    t = min(1.0, progress / end)
    return math.exp(-5 * (1 - t) ** 2) if shape == "gaussian" else t


def learning_rate(progress):
    """Factor on the learning rate: 1, then linear to 0 over the last third (A18, A28)."""
    return min(1.0, 3 * (1 - progress))


def average_decay(step):
    """Decay of the weight average at a step, counted from 0 (A29)."""
    return min(0.9999, (step + 1) / (step + 10))


class Adam:
    """Adam on tensors with gradients in .grad. Epsilon is outside the root, or inside as in Improved-GAN."""

    def __init__(self, parameters, betas=(0.5, 0.999), epsilon=1e-8, inside_root=False):
        self.parameters = dict(parameters)
        self.m = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.v = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.betas, self.epsilon, self.inside_root, self.steps = betas, epsilon, inside_root, 0

    @torch.no_grad()
    def step(self, rate):
        self.steps += 1
        b1, b2 = self.betas
        for name, p in self.parameters.items():
            m, v = self.m[name], self.v[name]
            m.mul_(b1).add_(p.grad, alpha=1 - b1)
            v.mul_(b2).add_(p.grad ** 2, alpha=1 - b2)
            m_hat, v_hat = m / (1 - b1 ** self.steps), v / (1 - b2 ** self.steps)
            if self.inside_root:
                p -= rate * m_hat / (v_hat + self.epsilon).sqrt()
            else:
                p -= rate * m_hat / (v_hat.sqrt() + self.epsilon)


class WeightAverage:
    """a <- decay a + (1 - decay) p, starting at the current parameters."""

    def __init__(self, parameters):
        self.parameters = dict(parameters)
        self.values = {name: p.detach().clone() for name, p in self.parameters.items()}

    @torch.no_grad()
    def update(self, decay):
        for name, p in self.parameters.items():
            self.values[name] = decay * self.values[name] + (1 - decay) * p
