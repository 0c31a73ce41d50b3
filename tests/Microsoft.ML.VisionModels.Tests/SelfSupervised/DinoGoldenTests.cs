using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.SelfSupervised;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;
using AdamW = Microsoft.ML.VisionModels.Training.AdamW;
using Parameter = TorchSharp.Modules.Parameter;

namespace Microsoft.ML.VisionModels.Tests.SelfSupervised;

/// <summary>DINO's training, step by step: views, loss, gradients, clipping, optimizer, teacher, center and all schedules.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "SelfSupervised")]
public partial class DinoGoldenTests
{
    public static TheoryData<string> Cases => GoldenCase.For("dino-training");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        var config = golden.Config;
        var total = Whole("nepochs") * Whole("niter_per_epoch");
        using var learner = Load(golden);
        learner.train();

        var (rate, decay) = (Number("lr"), Number("weight_decay"));
        var schedule = new CosineFromZero(Number("warmup_epochs") / Number("nepochs"), Number("min_lr") / rate, peakInWarmup: true);
        var decaySchedule = new CosineBetween(1, Number("weight_decay_end") / decay);
        golden.AssertClose("schedule.lr", Each(total, step => rate * schedule.ShareAt(step, total)));
        golden.AssertClose("schedule.weight_decay", Each(total, step => decay * decaySchedule.ShareAt(step, total)));
        golden.AssertClose("schedule.momentum", Each(total, step => learner.MomentumAt(step, total)));
        golden.AssertClose("schedule.teacher_temp", Each(Whole("nepochs"), epoch => learner.TeacherTemperatureAt((int)epoch)));

        var plan = new TrainingPlan { Epochs = 1, BatchSize = 1, LearningRate = rate, GradientClip = Number("clip_grad"), ClipsEachParameter = true };
        using var optimizer = new AdamW(ParameterGroups.Of(learner, decay));
        for (var i = 0; golden.Has($"step{i}.iteration_epoch"); i++)
        {
            var at = $"step{i}.";
            var place = golden.Input(at + "iteration_epoch").data<long>().ToArray();
            var (iteration, epoch) = (place[0], (int)place[1]);
            var crops = Enumerable.Range(0, Whole("ncrops")).Select(crop => golden.Input($"{at}in.crop{crop}")).ToArray();
            var views = new SslViews(stack(crops[..2], 1), crops.Length > 2 ? stack(crops[2..], 1) : null);

            learner.StartEpoch(epoch);
            Compare(at + "teacher_temp", () => tensor((float)learner.TeacherTemperatureAt(epoch)));
            Compare(at + "center_before", () => learner.Center);
            Compare(at + "student_output", () => learner.StudentOutput(views));
            Compare(at + "teacher_output", () => learner.TeacherOutput(views.Together));
            var loss = learner.Loss(views);
            Compare(at + "loss", () => loss);
            Compare(at + "center_after", () => learner.Center);
            loss.backward();
            CompareAll(at + "grad.", parameter => parameter.grad);

            learner.AfterGradients(epoch);
            TrainingLoop.Clip([.. optimizer.Parameters.Select(parameter => parameter.grad).OfType<Tensor>()], plan);
            optimizer.Step(rate * schedule.ShareAt(iteration, total), decaySchedule.ShareAt(iteration, total));
            learner.AfterStep(iteration, total);
            CompareAll(at + "student_after.", parameter => parameter);
            CompareAll(at + "teacher_after.", parameter => parameter, ofTeacher: true);
            foreach (var parameter in learner.parameters())
                parameter.grad = null;
        }
        // The gradient of a key's bias is 0, and AdamW makes steps of what rounding leaves.
        golden.AssertNoneForgotten(golden.NotCompared.Where(tensor => !InputName().IsMatch(tensor) && !KeyBias().IsMatch(tensor)));

        void Compare(string tensor, Func<Tensor> value)
        {
            if (golden.Has(tensor))
                golden.AssertClose(tensor, value().reshape([.. golden.Tensors[tensor].Shape]));
        }

        void CompareAll(string prefix, Func<Parameter, Tensor?> value, bool ofTeacher = false)
        {
            foreach (var (tensor, actual) in Official(learner, value, ofTeacher))
            {
                if (golden.Has(prefix + tensor) && !KeyBias().IsMatch(prefix + tensor))
                    golden.AssertClose(prefix + tensor, actual);
            }
        }

        double Number(string key) => config.GetProperty(key).GetDouble();

        int Whole(string key) => config.GetProperty(key).GetInt32();
    }

    private static Tensor Each(int count, Func<long, double> value) => tensor(Enumerable.Range(0, count).Select(i => (float)value(i)).ToArray());

    private static Dino Load(GoldenCase golden)
    {
        var config = golden.Config;
        var vit = new ViTConfig
        {
            ImageSize = config.Get("image_size", 0), PatchSize = config.Get("patch_size", 0), Width = config.Get("hidden_size", 0), Depth = config.Get("num_hidden_layers", 0),
            Heads = config.Get("num_attention_heads", 0), MlpWidth = config.Get("intermediate_size", 0), NormEps = config.Get("layer_norm_eps", 0.0),
            QkvBias = config.Get("qkv_bias", true), DropPath = config.Get("drop_path_rate", 0.0), Interpolation = PositionInterpolation.ScaleFactor,
        };
        var learner = new Dino(new ViTNetwork(vit), new ViTNetwork(vit), new()
        {
            Prototypes = config.Get("out_dim", 0), HeadHiddenSize = config.Get("head_hidden_dim", 0), BottleneckSize = config.Get("bottleneck_dim", 0),
            HeadLayers = config.Get("head_nlayers", 0), HeadBatchNorm = config.Get("use_bn_in_head", false), NormalizePrototypes = config.Get("norm_last_layer", true),
            StudentTemperature = config.Get("student_temp", 0.0), WarmupTeacherTemperature = config.Get("warmup_teacher_temp", 0.0), TeacherTemperature = config.Get("teacher_temp", 0.0),
            TeacherTemperatureWarmupEpochs = config.Get("warmup_teacher_temp_epochs", 0), CenterMomentum = config.Get("center_momentum", 0.0),
            TeacherMomentum = config.Get("momentum_teacher", 0.0), FrozenLastLayerEpochs = config.Get("freeze_last_layer", 0),
        });
        using var weights = golden.OpenModel();
        using var noGradients = no_grad();
        foreach (var (part, network, head) in Parts(learner))
        {
            var prefix = $"{part}.backbone.";
            using var folder = TestFolders.Temporary();
            SafetensorsWriter.Write(folder.File("backbone.safetensors"),
                [.. weights.Tensors.Keys.Where(tensor => tensor.StartsWith(prefix, StringComparison.Ordinal)).Select(tensor => (tensor[prefix.Length..], weights.Read(tensor)))]);
            using var backbone = Checkpoint.Open(folder.File("backbone.safetensors"));
            CheckpointLoader.Load(network, backbone, ViTDialect.HuggingFace(vit));
            foreach (var (tensor, value) in head.state_dict())
                value.copy_(weights.Read($"{part}.head.{tensor}"));
        }
        learner.Center.copy_(weights.Read("dino_loss.center"));
        return learner;
    }

    private static IEnumerable<(string Part, ViTNetwork Network, nn.Module Head)> Parts(Dino learner)
    {
        var modules = learner.named_children().ToDictionary(child => child.name, child => child.module);
        return [("student", (ViTNetwork)modules["student"], modules["student_head"]), ("teacher", (ViTNetwork)modules["teacher"], modules["teacher_head"])];
    }

    /// <summary>Values of the learner's parameters in the reference's names, which has query, key and value apart.</summary>
    private static IEnumerable<(string Name, Tensor Value)> Official(Dino learner, Func<Parameter, Tensor?> value, bool ofTeacher)
    {
        var (_, network, head) = Parts(learner).ElementAt(ofTeacher ? 1 : 0);
        using var noGradients = no_grad();
        using var copy = new ViTNetwork(network.Config);
        foreach (var ((_, to), (_, from)) in copy.named_parameters().Zip(network.named_parameters()))
            to.copy_(value(from)!);
        using var folder = TestFolders.Temporary();
        CheckpointLoader.Save(copy, ViTDialect.HuggingFace(copy.Config), folder.File("model.safetensors"));
        using var file = Checkpoint.Open(folder.File("model.safetensors"));
        foreach (var tensor in file.Tensors.Keys)
            yield return ("backbone." + tensor, file.Read(tensor));
        foreach (var (name, parameter) in head.named_parameters())
        {
            if (value(parameter) is { } present)
                yield return ("head." + name, present);
        }
    }

    [GeneratedRegex(@"\.in\.crop\d+$|\.iteration_epoch$")]
    private static partial Regex InputName();

    [GeneratedRegex(@"_after\..*key\.bias$")]
    private static partial Regex KeyBias();
}
