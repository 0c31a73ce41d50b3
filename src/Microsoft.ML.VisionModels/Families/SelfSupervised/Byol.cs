using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>
/// BYOL: "Bootstrap your own latent" (arXiv 2006.07733). From one view of an image the online network predicts what the target network,
/// its own moving average, makes of the other view. Without a target network it is SimSiam (arXiv 2011.10566). Reference
/// implementation: lucidrains/byol-pytorch.
/// </summary>
internal sealed class Byol : SslLearner
{
    private readonly nn.Module backbone;
    private readonly ProjectionHead projector, predictor;
    private readonly nn.Module? target_backbone;
    private readonly ProjectionHead? target_projector;
    private readonly double _momentum;

    /// <param name="backbone">The online network.</param>
    /// <param name="target">Another of the same kind; null for SimSiam.</param>
    /// <param name="options">The sizes of the heads, and the target's momentum.</param>
    public Byol(nn.Module backbone, nn.Module? target, ByolOptions options) : base(nameof(Byol))
    {
        this.backbone = backbone;
        projector = Projector();
        predictor = ProjectionHead.Mlp(options.ProjectionSize, options.HiddenSize, options.ProjectionSize);
        target_backbone = target;
        target_projector = target is null ? null : Projector();
        _momentum = options.TargetMomentum;
        RegisterComponents();
        foreach (var follower in new[] { target_backbone, target_projector }.OfType<nn.Module>())
            Teacher.Freeze(follower);

        ProjectionHead Projector() => target is null
            ? ProjectionHead.SimSiam(backbone.EmbeddingWidth(), options.HiddenSize, options.ProjectionSize)
            : ProjectionHead.Mlp(backbone.EmbeddingWidth(), options.HiddenSize, options.ProjectionSize);
    }

    public override nn.Module Kept => backbone;

    public override void DrawHeads(Generator generator)
    {
        projector.Draw(generator);
        predictor.Draw(generator);
        if (target_backbone is null)
            return;
        Teacher.Start(target_backbone, backbone);
        Teacher.Start(target_projector!, projector);
    }

    public override Tensor Loss(SslViews views) => Parts(views.Together).Loss;

    /// <summary>The loss, and what it is made of.</summary>
    /// <param name="images">Both views of each image, one after the other, [2 B, 3, H, W].</param>
    internal (Tensor Loss, Tensor Projection, Tensor Prediction, Tensor Target) Parts(Tensor images)
    {
        var projection = projector.forward(backbone.Embed(images));             // [2 B, D]
        var prediction = predictor.forward(projection);
        using (no_grad())
        {
            // SimSiam's own second pass gives what the first gave; its reference runs it all the same, and batch norms see the batch twice.
            var target = (target_projector ?? projector).forward((target_backbone ?? backbone).Embed(images));
            // Each view's prediction is held against the other view.
            return (Distance(prediction, target.roll(target.shape[0] / 2, 0)), projection, prediction, target);
        }
    }

    /// <summary>What scoring would make of images: embedding and projection.</summary>
    internal (Tensor Embedding, Tensor Projection) Describe(Tensor images)
    {
        var embedding = backbone.Embed(images);
        return (embedding, projector.forward(embedding));
    }

    /// <summary>2 - 2 cosine of each pair, [2 B]; the two of an image are added, and the mean is over the images.</summary>
    private static Tensor Distance(Tensor prediction, Tensor target)
    {
        using var gradients = enable_grad();
        return PerSample(prediction, target).mean().Mul(2);
    }

    internal static Tensor PerSample(Tensor prediction, Tensor target) =>
        (F.normalize(prediction, dim: -1) * F.normalize(target, dim: -1)).sum(-1).Mul(-2).Add(2);

    public override void AfterStep(long step, long totalSteps)
    {
        if (target_backbone is not null)
            Follow(CosineBetween.At(_momentum, 1, (double)step / totalSteps));
    }

    /// <summary>Moves the target towards the online network.</summary>
    internal void Follow(double momentum)
    {
        Teacher.Follow(target_backbone!, backbone, momentum);
        Teacher.Follow(target_projector!, projector, momentum);
    }
}
