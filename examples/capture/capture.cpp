// A camera's silhouettes become images while it runs: OpenCV captures and writes, PoseGen generates.
//
//     capture BUNDLE SOURCE OUT [masks]
//
// SOURCE: a camera's number, a video file, an address, or pictures as frames/%06d.png.
// OUT:    a video (.avi), or pictures as out/%06d.png.
// What comes before a fixed camera is the object: the first second shows the scene without it. With
// `masks`, frames are silhouettes already.
// Ctrl-C, or the source's end, closes the video.
#include <posegen.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/background_segm.hpp>
#include <opencv2/videoio.hpp>
#include <stdexcept>
#include <string>
#include <vector>

struct Destroy {
    void operator()(posegen_generator *handle) const { posegen_destroy(&handle); }
    void operator()(posegen_conditions *handle) const { posegen_conditions_destroy(&handle); }
};
using Generator = std::unique_ptr<posegen_generator, Destroy>;
using Conditions = std::unique_ptr<posegen_conditions, Destroy>;

static volatile std::sig_atomic_t interrupted = 0;

static void check(posegen_status status, const posegen_generator *generator) {
    if (status != POSEGEN_OK) throw std::runtime_error(posegen_message(generator));
}

static posegen_input input(const cv::Mat &picture) {
    return {picture.data, picture.step * static_cast<size_t>(picture.rows), 1,
            picture.rows, picture.cols, picture.step, 0};
}

static cv::Mat read_rgb(const char *path) {
    cv::Mat picture = path ? cv::imread(path, cv::IMREAD_COLOR) : cv::Mat();
    if (picture.empty()) throw std::runtime_error("the bundle has no default image to start with");
    cv::cvtColor(picture, picture, cv::COLOR_BGR2RGB);
    return picture;
}

// The bundle's own appearance and background, encoded once for all frames.
static Conditions encode(posegen_generator *generator, const posegen_info &info) {
    if (!info.takes_appearance && !info.takes_background) return nullptr;
    cv::Mat appearance, background;
    if (info.takes_appearance) appearance = read_rgb(info.default_appearance);
    if (info.takes_background) background = read_rgb(info.default_background);
    const posegen_input of_appearance = input(appearance), of_background = input(background);
    posegen_conditions *made = nullptr;
    check(posegen_conditions_create(generator, info.takes_appearance ? &of_appearance : nullptr,
                                    info.takes_background ? &of_background : nullptr, &made),
          generator);
    return Conditions(made);
}

// The largest thing that the scene did not show, its shadow left out; empty where there is none.
static cv::Mat foreground(cv::BackgroundSubtractor &scene, const cv::Mat &frame, bool learning) {
    cv::Mat found;
    scene.apply(frame, found, learning ? -1 : 0.0001); // light changes, and objects may stay
    cv::threshold(found, found, 200, 255, cv::THRESH_BINARY); // shadows are 127
    cv::morphologyEx(found, found, cv::MORPH_OPEN, cv::Mat::ones(5, 5, CV_8U));
    std::vector<std::vector<cv::Point>> outlines;
    cv::findContours(found, outlines, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_NONE);
    cv::Mat mask = cv::Mat::zeros(frame.size(), CV_8U);
    const auto largest = std::max_element(
        outlines.begin(), outlines.end(),
        [](const auto &a, const auto &b) { return cv::contourArea(a) < cv::contourArea(b); });
    if (largest != outlines.end())
        cv::drawContours(mask, outlines, static_cast<int>(largest - outlines.begin()), 255,
                         cv::FILLED);
    return mask;
}

// The middle of `picture` in the shape of the model, at its size.
static cv::Mat fitted(const cv::Mat &picture, int height, int width) {
    const double scale = std::min(1.0 * picture.rows / height, 1.0 * picture.cols / width);
    const int rows = static_cast<int>(height * scale), cols = static_cast<int>(width * scale);
    const cv::Rect middle((picture.cols - cols) / 2, (picture.rows - rows) / 2, cols, rows);
    cv::Mat small;
    cv::resize(picture(middle), small, {width, height}, 0, 0, cv::INTER_AREA);
    return small;
}

static void open(cv::VideoCapture &camera, const std::string &source) {
    const bool number = source.find_first_not_of("0123456789") == std::string::npos;
    const bool opened = number ? camera.open(std::stoi(source)) : camera.open(source);
    if (!opened) throw std::runtime_error(source + ": no camera or video that can be opened");
}

static void open(cv::VideoWriter &video, const std::string &out, const posegen_info &info,
                 double rate) {
    const bool pictures = out.find('%') != std::string::npos;
    const int kind = pictures ? 0 : cv::VideoWriter::fourcc('M', 'J', 'P', 'G');
    if (!video.open(out, pictures ? cv::CAP_IMAGES : cv::CAP_ANY, kind,
                    pictures ? 0 : (rate > 0 ? rate : 25), {info.width, info.height}))
        throw std::runtime_error(out + ": cannot be written; name an .avi or pictures with %06d");
}

static void run(const char *bundle, const std::string &source, const std::string &out, bool masks) {
    posegen_generator *made = nullptr;
    check(posegen_create(bundle, nullptr, &made), nullptr);
    const Generator generator(made);
    posegen_info info;
    info.size = sizeof info;
    check(posegen_get_info(generator.get(), &info), generator.get());
    const Conditions conditions = encode(generator.get(), info);

    cv::VideoCapture camera;
    open(camera, source);
    cv::VideoWriter video;
    open(video, out, info, camera.get(cv::CAP_PROP_FPS));
    const auto scene = cv::createBackgroundSubtractorMOG2();
    const double rate = camera.get(cv::CAP_PROP_FPS);
    const size_t learnt = rate > 0 ? static_cast<size_t>(rate) : 25;

    // Made once and written anew for each frame.
    cv::Mat frame, grey, image(info.height, info.width, CV_8UC3), bgr;
    const posegen_output output = {image.data, image.total() * image.elemSize(), 1, image.rows,
                                   image.cols, image.step, 0};
    size_t frames = 0;
    while (!interrupted && camera.read(frame)) {
        if (masks)
            cv::cvtColor(frame, grey, cv::COLOR_BGR2GRAY);
        else
            grey = foreground(*scene, frame, frames < learnt);
        const cv::Mat mask = fitted(grey, info.height, info.width);
        const posegen_input of_mask = input(mask);
        check(posegen_generate(generator.get(), conditions.get(), &of_mask, nullptr, 0, &output),
              generator.get());
        cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
        video.write(bgr);
        ++frames;
    }
    std::cout << frames << " frames in " << out << " by " << info.engine << "\n";
}

int main(int count, char **arguments) {
    const bool masks = count == 5 && std::string(arguments[4]) == "masks";
    if (count != 4 && !masks) {
        std::cerr << "usage: " << arguments[0] << " BUNDLE SOURCE OUT [masks]\n";
        return 2;
    }
    std::signal(SIGINT, [](int) { interrupted = 1; });
    try {
        run(arguments[1], arguments[2], arguments[3], masks);
    } catch (const std::exception &error) {
        std::cerr << "error: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
