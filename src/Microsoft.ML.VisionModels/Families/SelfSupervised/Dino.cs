using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>
/// DINO: "Emerging Properties in Self-Supervised Vision Transformers" (arXiv 2104.14294). A student that sees all views, small ones of
/// small parts too, learns the answers of a teacher that sees the large ones; the teacher is the student's moving average, and its
/// answers are centered and sharpened lest all images get the same. Reference implementation: facebookresearch/dino.
/// </summary>
internal sealed class Dino : SslLearner
{
    private readonly nn.Module student, teacher;
    private readonly DinoHead student_head, teacher_head;
    private Tensor center;             // [1, prototypes], a buffer
    private readonly DinoOptions _options;
    private double _teacherTemperature;

    /// <param name="student">The network that learns; it must take images of the small views' size.</param>
    /// <param name="teacher">Another of the same kind.</param>
    /// <param name="options">Heads, temperatures, momenta.</param>
    public Dino(nn.Module student, nn.Module teacher, DinoOptions options) : base(nameof(Dino))
    {
        (this.student, this.teacher, _options) = (student, teacher, options);
        student_head = new(student.EmbeddingWidth(), options);
        teacher_head = new(student.EmbeddingWidth(), options);
        center = zeros(1, options.Prototypes);
        RegisterComponents();
        Teacher.Freeze(teacher);
        Teacher.Freeze(teacher_head);
        StartEpoch(0);
    }

    /// <summary>[1, prototypes].</summary>
    internal Tensor Center => center;

    /// <summary>The authors evaluate the teacher, which is better than the student all along.</summary>
    public override nn.Module Kept => teacher;

    public override (ITrainableClassifier Network, string Prefix) Learns => ((ITrainableClassifier)student, "student.");

    public override void DrawHeads(Generator generator)
    {
        student_head.Draw(generator);
        Teacher.Start(teacher, student);
        Teacher.Start(teacher_head, student_head);
    }

    public override void StartEpoch(int epoch) => _teacherTemperature = TeacherTemperatureAt(epoch);

    /// <summary>What the teacher's answers are divided by: it goes from one value to the other in a line, epoch by epoch.</summary>
    internal double TeacherTemperatureAt(int epoch)
    {
        var (from, to, epochs) = (_options.WarmupTeacherTemperature, _options.TeacherTemperature, _options.TeacherTemperatureWarmupEpochs);
        return epoch < epochs ? from + (to - from) * epoch / Math.Max(1, epochs - 1) : to;
    }

    public override Tensor Loss(SslViews views)
    {
        Tensor target;
        using (no_grad())
            target = TeacherOutput(views.Together);                             // [V B, prototypes]
        var output = StudentOutput(views);                                      // [(V + L) B, prototypes]
        var loss = Loss(output, target, (int)views.Whole.shape[1], (int)views.Whole.shape[0]);
        if (training)
            MoveCenter(target);
        return loss;
    }

    internal Tensor StudentOutput(SslViews views)
    {
        var embedding = student.Embed(views.Together);
        return student_head.forward(views.LocalTogether is { } local ? cat([embedding, student.Embed(local)], 0) : embedding);
    }

    internal Tensor TeacherOutput(Tensor images) => teacher_head.forward(teacher.Embed(images));

    /// <summary>The cross entropy of the student's answers with the teacher's, over all pairs of different views of an image.</summary>
    /// <param name="output">The student's, [views B, prototypes], view by view.</param>
    /// <param name="target">The teacher's, [V B, prototypes], of the first V views.</param>
    /// <param name="whole">How many views the teacher saw, V.</param>
    /// <param name="images">How many images there are, B.</param>
    private Tensor Loss(Tensor output, Tensor target, int whole, int images)
    {
        var answers = output.Div(_options.StudentTemperature).log_softmax(-1).split(images);
        var targets = (target - center).Div(_teacherTemperature).softmax(-1).detach().split(images);
        var pairs = from t in Enumerable.Range(0, whole)
                    from s in Enumerable.Range(0, answers.Length)
                    where s != t
                    select (targets[t] * answers[s]).sum(-1).mean().neg();
        return stack([.. pairs]).mean();
    }

    /// <summary>The center follows the teacher's answers as they are, after the loss has used it.</summary>
    private void MoveCenter(Tensor target) => WeightAverage.Move([center], [target.mean([0], keepdim: true)], 1 - _options.CenterMomentum);

    public override void AfterGradients(int epoch)
    {
        if (epoch >= _options.FrozenLastLayerEpochs)
            return;
        foreach (var parameter in student_head.LastLayer)
            parameter.grad = null;
    }

    public override void AfterStep(long step, long totalSteps)
    {
        var momentum = MomentumAt(step, totalSteps);
        Teacher.Follow(teacher, student, momentum);
        Teacher.Follow(teacher_head, student_head, momentum);
    }

    /// <summary>How much of its weights the teacher keeps in a step.</summary>
    internal double MomentumAt(long step, long totalSteps) => CosineBetween.At(_options.TeacherMomentum, 1, (double)step / totalSteps);
}
