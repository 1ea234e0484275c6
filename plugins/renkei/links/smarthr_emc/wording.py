"""What people read for the link's codes."""

from __future__ import annotations

from dataclasses import dataclass

from renkei.links.smarthr_emc.model import Mode, Operation, Reason, RecordSet
from renkei.links.smarthr_emc.sheet import side_runs
from renkei.runs.outcome import Outcome

# The mail's subject (README, "when a mail says…").
SUBJECTS = {
    Outcome.OK: "EMC-OK",
    Outcome.CHECKED: "EMC-OK(Check Only)",
    Outcome.COMPARED: "EMC-OK(Compare)",
    Outcome.DIFFERS: "EMC-NOTICE(Compare)",
    Outcome.DATA: "EMC-ERROR-D(Update NG)",
    Outcome.RECEIVE: "EMC-ERROR-R(Receive NG)",
    Outcome.LOAD: "EMC-ERROR-L(Load NG)",
    Outcome.SETTING: "EMC-ERROR-S(Setting NG)",
    Outcome.BASELINE: "EMC-ERROR-B(Baseline NG)",
    Outcome.REFUSED: "EMC-ERROR-G(Guard NG)",
    Outcome.SYSTEM: "EMC-ERROR-X(System NG)",
    Outcome.HOLD: "EMC-HOLD",
    Outcome.CONFIRM: "EMC-HOLD(Confirm)",
}
# How that of 事前確認 begins, by whether the next run would end well, be held, or fail. The first is told to nobody.
AHEAD_WELL, AHEAD_HELD, AHEAD_BAD = "EMC-CHECK(OK)", "EMC-CHECK(HOLD)", "EMC-CHECK(NG)"
DIFFERS = "注意（EMCに差異があります）"  # 処理結果 of a 照合 that found something
RECORD_SETS = {RecordSet.DEPARTMENTS: "部署", RecordSet.USERS: "社員"}
# In the trigger form: the name, and what it does.
MODES = {
    Mode.NORMAL: ("通常", ""),
    Mode.CHECK_ONLY: ("確認のみ", "EMCへの登録と前回データの更新をしない"),
    Mode.WRITE_ALL: ("全件書き込み", "変化が無くても全件登録する"),
    Mode.RELINK: ("再連携", "現在連携中のユーザ・部署を削除し、全件を新規登録する。承認が必要"),
    Mode.RELINK_CHECK: ("再連携の確認のみ", "何が削除されるかを見る"),
    Mode.RECONCILE: ("照合", "EMCの登録内容を前回データと比べる。何も書き込まない"),
    Mode.RESTORE: ("復元", "EMCを以前の世代に戻す。承認が必要"),
}
# Of runs beside the daily one, by their marks.
SIDE_RUNS = {side_runs.CHECK: (Mode.CHECK_ONLY, "事前確認"), side_runs.RECONCILE: (Mode.RECONCILE, "照合")}
OPERATIONS = {Operation.CREATE.value: "新規", Operation.UPDATE.value: "更新", Operation.DELETE.value: "削除"}
STATUSES = {"employed": "在職中", "absent": "休職中", "retired": "退職済"}
REASONS = {
    Reason.GONE.value: "SmartHRに居ない",
    Reason.RETIRED.value: "退職済",
    Reason.LOST_ID.value: "ユーザIDの値が無くなった（退職ではありません）",
    Reason.ID_CHANGE.value: "ユーザIDが変わった",
    Reason.REPLACED.value: "再連携",
}

# Of problems: what is wrong …
PROBLEMS = {
    "required": "値がありません",
    "no_id": "ユーザIDの値がありません",
    "too_long": "文字数超過",
    "duplicate_id": "ID重複",
    "unknown_department": "存在しない部署コード",
    "department_in_use": "削除される部署に所属",
    "no_code": "部署コードがありません",
    "orphan": "親部署の部署コードがありません",
    "unknown_parent": "存在しない親部署",
    "loop": "親部署の循環",
    "medium": "EMCに無い媒体",
    "no_medium": "媒体の無い連絡先",
    "mail": "メールアドレスの形式",
    "phone": "電話番号の形式",
    "encoding": "EMCで扱えない文字",
    "encoding_variant": "EMCで扱えない異体字",
    "encoding_invisible": "EMCで扱えない見えない文字",
    "unseen": "EMCで扱えない見えない文字",
    "control": "制御文字",
    "password": "EMCのパスワードに使えない文字",
    "reserved": "EMCの取込で特別な意味を持つ値",
    "formula": "数式として実行される値",
    "flag": "T/F以外の値",
    "other_tenant": "同じEMCのほかの会社が使っているID",
}
# … and what to do about it. `{source}` is where the value came from (origins.py), `{item}` the item's name in the sheet.
REMEDIES = {
    "required": "{source}を入力してください",
    "no_id": "{source}を入力するか、連携設定シートのユーザIDの「新規登録処理: 値が無い場合」を「登録しない」にしてください",
    "too_long": "{source}を短くしてください",
    "duplicate_id": "どちらか一方の{source}を直してください",
    "unknown_department": "{source}を、SmartHRの部署マスターにある部署コードにしてください",
    "department_in_use": "{source}に残る部署を入力するか、連携設定シートの{item}の更新処理を「更新」にしてください",
    "no_code": "SmartHRの部署マスターで部署コードを登録してください",
    "orphan": "SmartHRの部署マスターで、この部署の親部署に部署コードを登録してください",
    "unknown_parent": "SmartHRの部署マスターで、この部署の親部署を確認してください",
    "loop": "SmartHRの部署マスターで、親部署をたどると自分に戻る部署の親部署を直してください",
    "medium": "{source}を、EMCで使える媒体にしてください",
    "no_medium": "連携設定シートの{item}の新規登録処理と更新処理を「登録」「更新」にしてください",
    "mail": "{source}を「name@example.co.jp」の形に直してください",
    "phone": "{source}を、10桁から15桁の半角数字（ハイフンで区切れます）に直してください",
    "encoding": "{source}を別の字に置き換えてください",
    "encoding_variant": "{source}を別の字に置き換えてください",
    "encoding_invisible": "{source}をすべて消してから、入力し直してください",
    "unseen": "{source}をすべて消してから、入力し直してください",
    "reserved": "{source}を別の値に置き換えてください",
    "control": "{source}をすべて消してから、1行の文字だけで入力し直してください",
    "password": "{source}を、半角の英数字と記号だけにしてください（空白も使えません）",
    "formula": "{source}の先頭の記号（=、@、+、-）を取り除いてください（表計算ソフトで開くと数式として実行されます）",
    "flag": "{source}を T か F にしてください",
    "other_tenant": "ID付与コードの見直しが必要です。運用担当者に連絡してください",
}
# kind → the 変換 that mends it too; only for values of SmartHR's: デフォルト is never converted
CONVERSIONS = {
    "mail": "メールアドレス",
    "phone": "電話番号",
    "encoding_variant": "標準字体",
    "encoding_invisible": "不可視文字除去",
}
# By the contract's codes; the others cannot come from rows that our own checks let through.
EMC_REMEDIES = {
    "DUPLICATE_ID": "EMCに既にあるIDです。次回の処理で更新として取り込みます",
    "UNKNOWN_ID": "EMCの画面で削除されたIDです。次回の処理で登録し直します",
    "UNKNOWN_DEPARTMENT": "部署がEMCの画面で削除されています。運用担当者が「全件書き込み」を実行します",
    "UNKNOWN_PARENT": "親部署がEMCの画面で削除されています。運用担当者が「全件書き込み」を実行します",
    "DEPARTMENT_IN_USE": "削除する部署に、EMCではまだ利用者か部署があります。EMCの画面で移動してください",
    "TOO_LONG": "EMCの上限を超えています。SmartHRで短くしてください",
    "MISSING_REQUIRED": "EMCで必須の項目です。SmartHRに値を登録してください",
}

# Kinds of warnings about people whose records in EMC are not only ours, and what they are called.
ADMINISTRATORS = {
    "admin_deleted": "EMCで保有権限を持つ（管理者などの）ユーザで、削除する社員",
    "admin_adopted": "EMCで保有権限を持つ（管理者などの）ユーザで、更新として取り込む社員",
}
TAKEN = {"adopted": "EMCに既に登録があり、更新として取り込む社員"}
# Of people, in the order in which the mail tells them.
WARNINGS = {
    "lost_id": "ユーザIDの値が無くなった社員（退職・休職ではありません）",
    "no_id": "ユーザIDの値が無いため登録されない社員",
    "still_no_id": "ユーザIDの値が無いまま登録されていない社員",
    "lost_contact": "緊急連絡先が1件も無くなる社員（安否確認の連絡が届きません）",
    "no_contact": "緊急連絡先が1件も無い社員（安否確認の連絡が届きません）",
    "taken_over": "同じ氏名の別の従業員としてSmartHRに登録し直された社員（同じ人とみなし、更新します）",
    **TAKEN,
    **ADMINISTRATORS,
    "recreated": "EMCに登録が無いため、新規登録し直す社員",
    "kept": "災害時凍結のため削除せずに残している社員",
    "kept_values": "災害時凍結のためEMCの値を空白にせずに残している社員",
}

SHARED_BY = 5  # people with one contact


@dataclass(frozen=True, slots=True)
class ValueWarning:
    """How the mail tells of one kind: what it is, and what to do."""

    title: str
    remedy: str


_MEND = "SmartHR（固定値とデフォルトは連携設定シート）で"


def _either(mend: str, word: str) -> str:
    return f"{_MEND}{mend}か、連携設定シートの変換に「{word}」を指定してください"


VALUE_WARNINGS = {
    "invisible": ValueWarning("見えない文字を含む値", _either("その値をすべて消して入力し直す", "不可視文字除去")),
    "variant": ValueWarning(
        "異体字を含む値（このまま登録しますが、端末によっては表示されません）",
        f"表示されない場合は、{_either('別の字に直す', '標準字体')}（標準字体の無い字はそのままです）",
    ),
    "substituted": ValueWarning(
        "EMCでは似た別の記号になる文字を含む値（〜は～、−は－など）",
        "そのままで支障が無ければ対応は不要です。気になる場合はSmartHRで別の字に直してください",
    ),
    "machine": ValueWarning(
        "機種依存文字を含む値（このまま登録しますが、端末によっては表示されません）",
        f"表示されない場合は、{_MEND}別の字に直してください",
    ),
    "kana_half": ValueWarning("氏名(ヨミ)が半角カナ", _either("全角カナに直す", "全角カナ")),
    "kana_hiragana": ValueWarning("氏名(ヨミ)がひらがな", _either("全角カナに直す", "全角カナ")),
    "kana_kanji": ValueWarning(
        "氏名(ヨミ)に漢字",
        f"{_MEND}全角カナに直してください。全員の場合は、連携設定シートの氏名(ヨミ)の連携元を「氏名(ヨミガナ)」にしてください",
    ),
    "kana_letters": ValueWarning("氏名(ヨミ)に半角英数字", _either("全角カナに直す", "全角")),
    "kana_lower": ValueWarning("氏名(ヨミ)に英小文字", _either("全角カナに直す", "大文字")),
    "full_width": ValueWarning(
        "ユーザIDまたは連絡先に全角英数字",
        f"{_either('半角に直す', '半角')}（ユーザIDの場合は、その人のIDが変わります）",
    ),
    "double_blank": ValueWarning(
        "氏名の中に空白が2つ以上続く",
        f"{_either('空白を1つにする', '空白除去')}（変換では、姓と名の間の空白も無くなります）",
    ),
    "id_blank": ValueWarning(
        "途中に空白を含むユーザID（このまま登録しますが、ログインのときに空白も入力する必要があります）",
        "空白が要らなければ、SmartHRで取り除いてください（ユーザIDが変わるので、削除と新規の登録になります）",
    ),
    "id_alike": ValueWarning(
        "大文字と小文字、または全角と半角だけが異なるユーザID（別の人として登録します）",
        "同じ人ではないか、打ち間違いではないかをSmartHRで確認してください",
    ),
    "unused_phone": ValueWarning(
        "番号帯または桁数に誤りのおそれがある電話番号",
        f"{_MEND}電話番号を確認してください（連絡が届かないことがあります）",
    ),
    "odd_mail": ValueWarning(
        "規格に合わないメールアドレス", f"{_MEND}メールアドレスを確認してください（連絡が届かないことがあります）"
    ),
    "shared_contact": ValueWarning(
        f"{SHARED_BY}名以上で共有の連絡先", f"本人に届く連絡先かどうか、{_MEND}確認してください"
    ),
    "no_date": ValueWarning(
        "日付として読めない値（変換せずに登録します）", "SmartHRで「2024/04/01」の形に直してください"
    ),
}
