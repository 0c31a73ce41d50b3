using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>
/// Prompts as the decoder reads them: points and corners of boxes as tokens, a rough mask as something added to the image embedding.
/// </summary>
internal sealed class SamPromptEncoder : nn.Module
{
    // What a point's label says, or a corner of a box: rows of point_embed.
    private const int Background = 0, Foreground = 1, TopLeft = 2, BottomRight = 3;

    /// <summary>The label of something that is no point.</summary>
    public const int NotAPoint = -1;

    /// <summary>The label of what fills up the prompts of a batch; its token is zero, but is attended to.</summary>
    public const int Filling = -10;

    private static readonly Scalar s_notAPoint = NotAPoint, s_filling = Filling;     // kept, see TensorArithmetic

    private readonly Tensor frequencies;                // [2, C / 2], drawn once from a normal distribution
    private readonly Parameter point_embed;             // [4, C]
    private readonly Parameter not_a_point, no_mask;    // [C]
    private readonly Conv2d mask_conv1, mask_conv2, mask_conv3;
    private readonly LayerNorm2d mask_norm1, mask_norm2;
    private readonly Activation _activation;
    private readonly int _imageSize, _grid;

    public SamPromptEncoder(SamConfig config) : base(nameof(SamPromptEncoder))
    {
        frequencies = zeros(2, config.Width / 2);
        point_embed = Parameters.Zeros(4, config.Width);
        (not_a_point, no_mask) = (Parameters.Zeros(config.Width), Parameters.Zeros(config.Width));
        var channels = config.MaskPromptChannels;
        (mask_conv1, mask_norm1) = (new(1, channels / 4, kernel: 2, stride: 2), new(channels / 4));
        (mask_conv2, mask_norm2) = (new(channels / 4, channels, kernel: 2, stride: 2), new(channels));
        mask_conv3 = new(channels, config.Width, kernel: 1, stride: 1);
        (_activation, _imageSize, _grid) = (config.PromptActivation, config.ImageSize, config.Grid);
        RegisterComponents();
    }

    /// <summary>Points and boxes as tokens.</summary>
    /// <param name="points">[P, N, 2], x and y in pixels of the padded image; null for none.</param>
    /// <param name="labels">[P, N]: 1 belongs to what is meant, 0 does not, <see cref="NotAPoint"/>, <see cref="Filling"/>.</param>
    /// <param name="boxes">[P, 4], left, top, right, bottom; null for none.</param>
    /// <returns>[P, tokens, C]; null where there is neither.</returns>
    public Tensor? Sparse(Tensor? points, Tensor? labels, Tensor? boxes)
    {
        var tokens = new List<Tensor>();
        if (points is not null)
        {
            if (boxes is null)      // the place of the corners
            {
                points = cat([points, zeros([points.shape[0], 1, 2], points.dtype, points.device)], 1);
                labels = cat([labels!, full([points.shape[0], 1], s_notAPoint, labels!.dtype, labels.device)], 1);
            }
            tokens.Add(Points(points, labels!));
        }
        if (boxes is not null)
        {
            var corners = Positions(boxes.view(-1, 2, 2));                                              // [P, 2, C]
            tokens.Add(corners.Add(point_embed.narrow(0, TopLeft, BottomRight - TopLeft + 1)));
        }
        return tokens.Count == 0 ? null : cat(tokens, 1);
    }

    /// <summary>What is added to the image embedding.</summary>
    /// <param name="masks">Logits of rough masks, [P, 1, 4 H, 4 W]; null for none.</param>
    /// <returns>[P, C, H, W], or [1, C, 1, 1] where there is none.</returns>
    public Tensor Dense(Tensor? masks)
    {
        if (masks is null)
            return no_mask.view(1, -1, 1, 1);
        var x = _activation.Apply(mask_norm1.forward(mask_conv1.forward(masks)));                       // [P, 4, 2 H, 2 W]
        x = _activation.Apply(mask_norm2.forward(mask_conv2.forward(x)));                               // [P, 16, H, W]
        return mask_conv3.forward(x);
    }

    /// <summary>The positions of the image embedding's places, [1, C, H, W].</summary>
    public Tensor ImagePositions()
    {
        var places = TensorArithmetic.Arange(_grid, frequencies.device).to(ScalarType.Float32).Add(0.5).Div(_grid);
        var grid = stack([places.unsqueeze(0).expand(_grid, _grid), places.unsqueeze(1).expand(_grid, _grid)], 2);  // [H, W, (x, y)]
        return Waves(grid).permute(2, 0, 1).unsqueeze(0);
    }

    private Tensor Points(Tensor points, Tensor labels)
    {
        var label = labels.unsqueeze(-1);                                                               // [P, N, 1]
        var tokens = where(label.eq(s_notAPoint), not_a_point, Positions(points));
        tokens = where(label.eq(s_filling), zeros_like(tokens), tokens);
        foreach (var kind in new[] { Background, Foreground })
        {
            using Scalar number = kind;
            tokens = tokens.Add(label.eq(number).to(tokens.dtype) * point_embed[kind]);
        }
        return tokens;
    }

    /// <summary>Positions of the middles of pixels, [..., 2] to [..., C].</summary>
    private Tensor Positions(Tensor pixels) => Waves(pixels.to(ScalarType.Float32).Add(0.5).Div(_imageSize));

    /// <summary>Sines and cosines of random frequencies (arXiv 2006.10739) of x and y, each from 0 to 1.</summary>
    private Tensor Waves(Tensor places)
    {
        var angles = places.Mul(2).Sub(1).matmul(frequencies.to(ScalarType.Float32)).Mul(2 * Math.PI);
        return cat([angles.sin(), angles.cos()], -1).to(no_mask.dtype);
    }

    /// <summary>Draws every weight.</summary>
    public void Initialize(Generator generator)
    {
        Initialization.Normal(frequencies, 1, generator);
        foreach (var embedding in new[] { point_embed, not_a_point, no_mask })
            Initialization.Normal(embedding, 1, generator);
        Initialization.Fill(this, 0.02, generator);
    }
}
