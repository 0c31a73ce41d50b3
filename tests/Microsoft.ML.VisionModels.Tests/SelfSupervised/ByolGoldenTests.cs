using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.SelfSupervised;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;
using BatchNorm = Microsoft.ML.VisionModels.Layers.BatchNorm;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;

namespace Microsoft.ML.VisionModels.Tests.SelfSupervised;

[Trait("Category", "Golden")]
[Trait("Family", "SelfSupervised")]
public partial class ByolGoldenTests
{
    /// <summary>The learner's names for what the reference calls by others.</summary>
    private static readonly (string Ours, string Theirs)[] s_names =
    [
        ("backbone.", "online_encoder.net."), ("projector.", "online_encoder.projector."), ("predictor.", "online_predictor."),
        ("target_backbone.", "target_encoder.net."), ("target_projector.", "target_encoder.projector."),
    ];

    public static TheoryData<string> Cases => GoldenCase.For("ssl-byol");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var config = golden.Config;
        var usesTarget = config.GetProperty("use_momentum").GetBoolean();
        var width = config.GetProperty("width").GetInt32();
        using var learner = new Byol(new Convolution(width), usesTarget ? new Convolution(width) : null, new()
        {
            UseTarget = usesTarget,
            HiddenSize = config.GetProperty("projection_hidden_size").GetInt32(),
            ProjectionSize = config.GetProperty("projection_size").GetInt32(),
        });
        using (no_grad())
        using (var weights = golden.OpenModel())
        {
            foreach (var (tensor, value) in learner.state_dict())
                value.copy_(weights.Read(Theirs(tensor)));
        }
        learner.train();
        using var optimizer = new Sgd(ParameterGroups.Of(learner, 0), momentum: 0);
        var (first, second) = (golden.Input("view1"), golden.Input("view2"));
        for (var step = 0; step < first.shape[0]; step++)
        {
            var (loss, projection, prediction, target) = learner.Parts(cat([first[step], second[step]], 0));
            golden.AssertClose($"step{step}.loss", loss);
            golden.AssertClose($"step{step}.online_projection", projection);
            golden.AssertClose($"step{step}.online_prediction", prediction);
            golden.AssertClose($"step{step}.target_projection", target);
            if (step == 0)
                golden.AssertClose("loss_fn.per_sample", Byol.PerSample(prediction, target.roll(target.shape[0] / 2, 0)).narrow(0, 0, golden.Tensors["loss_fn.per_sample"].Shape[0]));
            loss.backward();
            foreach (var (parameter, value) in learner.named_parameters())
            {
                var gradient = $"step{step}.grad.{Theirs(parameter).Replace("online_encoder.net.", "net.")}";
                if (golden.Has(gradient))
                    golden.AssertClose(gradient, value.grad!);
            }
            optimizer.Step(config.GetProperty("lr").GetDouble());
            foreach (var parameter in learner.parameters())
                parameter.grad = null;
            if (usesTarget)
                learner.Follow(config.GetProperty("moving_average_decay").GetDouble());
            foreach (var (tensor, value) in learner.state_dict().Where(entry => golden.Has($"after{step}.{Theirs(entry.Key)}")))
                golden.AssertClose($"after{step}.{Theirs(tensor)}", value);
        }

        learner.eval();
        var (embedding, projected) = learner.Describe(first[0]);
        golden.AssertClose("eval.embedding", embedding);
        golden.AssertClose("eval.projection", projected);
        golden.AssertNoneForgotten(golden.NotCompared.Where(tensor => tensor is not ("view1" or "view2") && !tensor.EndsWith(".num_batches_tracked", StringComparison.Ordinal)));
    }

    private static string Theirs(string name)
    {
        var (ours, theirs) = s_names.First(pair => name.StartsWith(pair.Ours, StringComparison.Ordinal));
        return theirs + name[ours.Length..];
    }

    /// <summary>The reference's tiny network.</summary>
    private sealed class Convolution : nn.Module, IFeatureNetwork
    {
        private readonly Conv2d conv1;
        private readonly BatchNorm bn1;
        private readonly int _width;

        public Convolution(int width) : base(nameof(Convolution))
        {
            _width = width;
            conv1 = new(3, width, 3, 2, 1);
            bn1 = new(width);
            RegisterComponents();
        }

        public IReadOnlyList<ImageFeature> Features => [new(IFeatureNetwork.Embedding, [_width])];

        public IReadOnlyDictionary<string, Tensor> Describe(Tensor pixels, IReadOnlySet<string> wanted) =>
            new Dictionary<string, Tensor> { [IFeatureNetwork.Embedding] = bn1.forward(conv1.forward(pixels)).relu().mean([2, 3]) };
    }
}
